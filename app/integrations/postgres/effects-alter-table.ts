import { addColumnRewrite, typeInWords } from "./effects-column.ts";
import type { EffectsGatherer } from "./effects-file.ts";
import type { RangeVar } from "./effects-query.ts";
import { type LockMode, strongest } from "./lock-modes.ts";
import { nodeOf, type SyntaxTree } from "./syntax-tree.ts";

/**
 * Subcommands that take less than ACCESS EXCLUSIVE on the table.
 * https://www.postgresql.org/docs/17/sql-altertable.html, and AlterTableGetLockLevel in
 * src/backend/commands/tablecmds.c, which is exact where the manual is brief.
 */
const MODES: Readonly<Record<string, LockMode>> = {
  AT_SetStatistics: "SHARE UPDATE EXCLUSIVE",
  AT_ClusterOn: "SHARE UPDATE EXCLUSIVE",
  AT_DropCluster: "SHARE UPDATE EXCLUSIVE",
  AT_SetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ValidateConstraint: "SHARE UPDATE EXCLUSIVE",
  AT_AttachPartition: "SHARE UPDATE EXCLUSIVE",
  AT_EnableTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableAlwaysTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableReplicaTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigUser: "SHARE ROW EXCLUSIVE",
  AT_DisableTrig: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigUser: "SHARE ROW EXCLUSIVE",
};

/** Storage parameters that are read anew by whoever needs them: src/backend/access/common/reloptions.c. */
const LIGHT_OPTIONS =
  /^(autovacuum_\w+|fillfactor|toast_tuple_target|parallel_workers|vacuum_(index_cleanup|truncate)|log_autovacuum_min_duration|deduplicate_items)$/;

const REWRITES: Readonly<Record<string, string>> = {
  AT_SetLogged: "SET LOGGED writes the table anew, and all of it to the log",
  AT_SetUnLogged: "SET UNLOGGED writes the table anew",
  AT_SetAccessMethod: "SET ACCESS METHOD writes the table anew",
  AT_SetTableSpace: "SET TABLESPACE copies the table to another disk",
};

interface Command {
  subtype?: string;
  name?: string;
  def?: SyntaxTree;
  behavior?: string;
}

/** ALTER TABLE, VIEW, MATERIALIZED VIEW, SEQUENCE: one lock for all subcommands, and what they reach. */
export function alterTable(effects: EffectsGatherer, node: SyntaxTree): void {
  const commands = (node.cmds as SyntaxTree[]).map((cmd) => cmd.AlterTableCmd as Command);
  if (node.objtype === "OBJECT_TYPE") {
    // Tables may have columns of the type.
    effects.unseen("ALTER TYPE of a composite type");
    return;
  }
  if (node.objtype === "OBJECT_INDEX") {
    // Otherwise, nothing but the index is locked.
    const attaches = commands.some(({ subtype }) => subtype === "AT_AttachPartition");
    if (attaches) effects.unseen("ALTER INDEX … ATTACH PARTITION");
    return;
  }
  const table = node.relation as RangeVar;
  effects.lock(table, strongest(commands.map(modeOf)));
  for (const command of commands) {
    lockOthers(effects, table, command);
    const why = rewriteOf(command);
    if (why) effects.rewrite(table, why);
    if (command.behavior === "DROP_CASCADE") effects.unseen("ALTER TABLE … CASCADE");
    // A default for rows to come is only stored.
    if (command.subtype !== "AT_ColumnDefault") effects.calls(command.def ?? {});
  }
}

function modeOf({ subtype = "", def }: Command): LockMode {
  if (subtype === "AT_AddConstraint") {
    return contentOf(def).contype === "CONSTR_FOREIGN" ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE";
  }
  if (subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions") {
    const options = (contentOf(def).items ?? []) as { DefElem?: { defname?: string } }[];
    const isLight = options.every(({ DefElem }) => LIGHT_OPTIONS.test(DefElem?.defname ?? ""));
    return isLight ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
  }
  return MODES[subtype] ?? "ACCESS EXCLUSIVE";
}

const contentOf = (wrapped: SyntaxTree | undefined): SyntaxTree =>
  wrapped ? nodeOf(wrapped).node : {};

/** Locks on the other tables that a subcommand names, or reaches through a foreign key. */
function lockOthers(
  effects: EffectsGatherer,
  table: RangeVar,
  { subtype, name, def }: Command,
): void {
  const content = contentOf(def);
  if (subtype === "AT_AddConstraint") lockReferenced(effects, [content]);
  if (subtype === "AT_AddColumn") lockReferenced(effects, constraintsOf(content));
  if (subtype === "AT_AttachPartition" || subtype === "AT_DetachPartition") {
    effects.lock(content.name as RangeVar, "ACCESS EXCLUSIVE");
    effects.defaultPartition(table);
  }
  if (subtype === "AT_DropConstraint") {
    effects.lockLinked(table, "ACCESS EXCLUSIVE", { constraint: name });
  }
  if (subtype === "AT_ValidateConstraint") {
    effects.lockLinked(table, "ROW SHARE", { constraint: name });
  }
  if (subtype === "AT_DropColumn" || subtype === "AT_AlterColumnType") {
    effects.lockLinked(table, "ACCESS EXCLUSIVE", { column: name });
  }
  const parent = content as unknown as RangeVar;
  if (subtype === "AT_AddInherit") effects.lock(parent, "SHARE UPDATE EXCLUSIVE");
  if (subtype === "AT_DropInherit") effects.lock(parent, "ACCESS SHARE");
}

/** Both ends of a foreign key get triggers, under SHARE ROW EXCLUSIVE. */
export function lockReferenced(effects: EffectsGatherer, constraints: SyntaxTree[]): void {
  for (const { contype, pktable } of constraints) {
    if (contype === "CONSTR_FOREIGN") effects.lock(pktable as RangeVar, "SHARE ROW EXCLUSIVE");
  }
}

/** The constraints written beside a column. */
export const constraintsOf = (column: SyntaxTree): SyntaxTree[] =>
  ((column.constraints ?? []) as SyntaxTree[]).map((one) => one.Constraint as SyntaxTree);

function rewriteOf({ subtype = "", name, def }: Command): string | undefined {
  const column = contentOf(def);
  switch (subtype) {
    case "AT_AddColumn":
      return addColumnRewrite(column, constraintsOf(column));
    case "AT_AlterColumnType":
      return `the column ${name} becomes ${typeInWords(column.typeName)}: every row is written anew, unless the old values are stored the same way`;
    case "AT_SetExpression":
      return `the column ${name} is computed anew in each row`;
    default:
      return REWRITES[subtype];
  }
}

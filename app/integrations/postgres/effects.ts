import { parseSync } from "libpg-query";
import { alterTable, constraintsOf, lockReferenced } from "./effects-alter-table.ts";
import { CHILDREN, drop, RELATIONS } from "./effects-drop.ts";
import { EffectsGatherer, type FileEffects, partsOf } from "./effects-file.ts";
import type { RangeVar } from "./effects-query.ts";
import { unseenIn } from "./effects-unseen.ts";
import { LOCK_MODES, type LockMode } from "./lock-modes.ts";
import type { LocatedTree } from "./parse.ts";
import { skipBlank } from "./sql-tokens.ts";
import { isOptionOn, names, nodeOf, type SyntaxTree } from "./syntax-tree.ts";

export type { FileEffects } from "./effects-file.ts";

/**
 * What the statements of one file create, lock and rewrite, by PostgreSQL's documented rules
 * (https://www.postgresql.org/docs/17/explicit-locking.html). What the text cannot tell is named as
 * such: DO blocks, functions that are called, what depends on what is dropped. Left out of both are
 * partitions and other children, the tables behind a view, triggers, and the weak locks of foreign
 * keys on changed rows. Names without a schema are of `public`, or of the file's search_path.
 */
export function effectsOf(statements: readonly Pick<LocatedTree, "tree" | "line">[]): FileEffects {
  const effects = new EffectsGatherer();
  for (const { tree, line } of statements) {
    effects.line = line;
    gather(effects, tree);
  }
  return effects.done();
}

function gather(effects: EffectsGatherer, tree: SyntaxTree): void {
  const { name, node } = nodeOf(tree);
  const handle = HANDLERS[name];
  const isQuery = QUERIES.has(name);
  if (handle) handle(effects, node);
  else if (isQuery) run(effects, tree);
  const what = handle || isQuery ? undefined : unseenIn(name, node);
  if (what) effects.unseen(what);
}

/** A query that is run: it locks the tables that it names, and calls functions. */
function run(effects: EffectsGatherer, tree: SyntaxTree): void {
  effects.queries(tree);
  effects.calls(tree);
}

const QUERIES = new Set([
  "SelectStmt",
  "InsertStmt",
  "UpdateStmt",
  "DeleteStmt",
  "MergeStmt",
  "ExplainStmt",
]);

type Handler = (effects: EffectsGatherer, node: SyntaxTree) => void;

const rangesIn = (list: unknown): RangeVar[] =>
  ((list ?? []) as { RangeVar?: RangeVar }[]).flatMap(({ RangeVar }) => RangeVar ?? []);

/** Locks the statement's own table, and what its queries name. */
const onRelation =
  (mode: LockMode, key = "relation"): Handler =>
  (effects, node) => {
    effects.lock(node[key] as RangeVar | undefined, mode);
    effects.queries(node);
  };

const HANDLERS: Readonly<Record<string, Handler>> = {
  CreateStmt: createTable,
  CreateTableAsStmt(effects, node) {
    effects.creates((node.into as { rel: RangeVar }).rel);
    run(effects, node);
  },
  ViewStmt(effects, node) {
    const view = node.view as RangeVar;
    effects.creates(view);
    if (node.replace) effects.lock(view, "ACCESS EXCLUSIVE");
    effects.queries(node);
  },
  SelectStmt(effects, node) {
    const into = node.intoClause as { rel: RangeVar } | undefined;
    if (into) effects.creates(into.rel);
    run(effects, { SelectStmt: node });
  },
  CreateSeqStmt(effects, node) {
    effects.creates(node.sequence as RangeVar);
    for (const column of ownersOf(node)) effects.lock(column, "ACCESS SHARE");
  },
  AlterSeqStmt: onRelation("SHARE ROW EXCLUSIVE", "sequence"),
  CreateSchemaStmt: createSchema,
  IndexStmt(effects, node) {
    const table = node.relation as RangeVar;
    if (node.idxname) effects.createsIndex(String(node.idxname), table);
    effects.lock(table, node.concurrent ? "SHARE UPDATE EXCLUSIVE" : "SHARE");
    effects.calls(node);
  },
  AlterTableStmt: alterTable,
  RenameStmt: rename,
  AlterObjectSchemaStmt(effects, node) {
    const table = node.relation as RangeVar | undefined;
    if (!table) return;
    effects.lock(table, "ACCESS EXCLUSIVE");
    effects.creates({ ...table, schemaname: String(node.newschema) });
  },
  DropStmt: drop,
  TruncateStmt(effects, node) {
    const cascades = node.behavior === "DROP_CASCADE";
    for (const table of rangesIn(node.relations)) {
      effects.lock(table, "ACCESS EXCLUSIVE");
      if (cascades) effects.lockLinked(table, "ACCESS EXCLUSIVE", { cascades });
    }
  },
  CallStmt(effects, node) {
    run(effects, node);
    const { funcname } = node.funccall as { funcname: unknown };
    effects.unseen(`CALL of ${names(funcname).join(".")}()`);
  },
  LockStmt(effects, node) {
    const mode = LOCK_MODES[Number(node.mode) - 1] ?? "ACCESS EXCLUSIVE";
    for (const table of rangesIn(node.relations)) effects.lock(table, mode);
  },
  CreateTrigStmt(effects, node) {
    effects.lock(node.relation as RangeVar, "SHARE ROW EXCLUSIVE");
    effects.lock(node.constrrel as RangeVar | undefined, "ACCESS SHARE");
  },
  CreatePolicyStmt: onRelation("ACCESS EXCLUSIVE", "table"),
  AlterPolicyStmt: onRelation("ACCESS EXCLUSIVE", "table"),
  RuleStmt: onRelation("ACCESS EXCLUSIVE"),
  CommentStmt: comment,
  CreateStatsStmt(effects, node) {
    for (const table of rangesIn(node.relations)) effects.lock(table, "SHARE UPDATE EXCLUSIVE");
  },
  CreatePublicationStmt: publish,
  AlterPublicationStmt: publish,
  RefreshMatViewStmt(effects, node) {
    const view = node.relation as RangeVar;
    effects.lock(view, node.concurrent ? "EXCLUSIVE" : "ACCESS EXCLUSIVE");
    if (!node.concurrent) effects.rewrite(view, "REFRESH fills it anew");
    if (!node.skipData) effects.unseen(`the query behind ${effects.nameOf(view)}`);
  },
  ClusterStmt(effects, node) {
    const table = node.relation as RangeVar | undefined;
    if (!table) return;
    effects.lock(table, "ACCESS EXCLUSIVE");
    effects.rewrite(table, "CLUSTER writes the table anew in the order of an index");
  },
  VacuumStmt: vacuum,
  ReindexStmt: reindex,
  CreateFunctionStmt: createFunction,
  VariableSetStmt(effects, node) {
    if (node.name !== "search_path") return;
    const values = (node.args ?? []) as { A_Const?: { sval?: { sval?: string } } }[];
    effects.setPath(values.map(({ A_Const }) => A_Const?.sval?.sval));
  },
};

function createTable(effects: EffectsGatherer, node: SyntaxTree): void {
  effects.creates(node.relation as RangeVar);
  // A partition changes what its parent's rows may be; a child only adds a table to look at.
  const parentMode = node.partbound ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE";
  for (const parent of rangesIn(node.inhRelations)) {
    effects.lock(parent, parentMode);
    if (node.partbound) effects.defaultPartition(parent);
  }
  for (const element of (node.tableElts ?? []) as SyntaxTree[]) {
    const { name, node: content } = nodeOf(element);
    if (name === "Constraint") lockReferenced(effects, [content]);
    if (name === "ColumnDef") lockReferenced(effects, constraintsOf(content));
    if (name === "TableLikeClause") effects.lock(content.relation as RangeVar, "ACCESS SHARE");
  }
}

function createSchema(effects: EffectsGatherer, node: SyntaxTree): void {
  const before = effects.schema;
  effects.schema = String(node.schemaname ?? before);
  for (const element of (node.schemaElts ?? []) as SyntaxTree[]) gather(effects, element);
  effects.schema = before;
}

function rename(effects: EffectsGatherer, node: SyntaxTree): void {
  const table = node.relation as RangeVar | undefined;
  // Of an index, nothing but the index is locked.
  if (!table || node.renameType === "OBJECT_INDEX") return;
  effects.lock(table, "ACCESS EXCLUSIVE");
  if (node.subname === undefined) effects.creates({ ...table, relname: String(node.newname) });
}

function comment(effects: EffectsGatherer, node: SyntaxTree): void {
  const type = String(node.objtype);
  const parts = partsOf(node.object);
  if (RELATIONS.has(type)) effects.lock(effects.rangeOf(parts), "SHARE UPDATE EXCLUSIVE");
  const table = effects.rangeOf(parts.slice(0, -1));
  if (type === "OBJECT_COLUMN") effects.lock(table, "SHARE UPDATE EXCLUSIVE");
  if (CHILDREN.has(type) || type === "OBJECT_TABCONSTRAINT") effects.lock(table, "ACCESS SHARE");
}

function ownersOf(node: SyntaxTree): RangeVar[] {
  const options = (node.options ?? []) as { DefElem?: { defname?: string; arg?: SyntaxTree } }[];
  return options.flatMap(({ DefElem }) => {
    const parts = DefElem?.defname === "owned_by" ? partsOf(DefElem.arg) : [];
    if (parts.length < 2) return [];
    const [relname = "", schemaname] = parts.slice(0, -1).reverse();
    return [{ relname, ...(schemaname === undefined ? {} : { schemaname }) }];
  });
}

function publish(effects: EffectsGatherer, node: SyntaxTree): void {
  if (node.action === "AP_SetObjects") effects.unseen("the tables that a publication loses");
  const objects = (node.pubobjects ?? []) as {
    PublicationObjSpec?: { pubtable?: { relation?: RangeVar } };
  }[];
  for (const { PublicationObjSpec } of objects) {
    effects.lock(PublicationObjSpec?.pubtable?.relation, "SHARE UPDATE EXCLUSIVE");
  }
}

function vacuum(effects: EffectsGatherer, node: SyntaxTree): void {
  const isFull = isOptionOn(node.options, "full");
  if (!node.rels) effects.unseen("ANALYZE of every table");
  for (const { VacuumRelation } of (node.rels ?? []) as { VacuumRelation: SyntaxTree }[]) {
    const table = VacuumRelation.relation as RangeVar;
    effects.lock(table, isFull ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE");
    if (isFull) effects.rewrite(table, "VACUUM FULL writes the table anew");
  }
}

function reindex(effects: EffectsGatherer, node: SyntaxTree): void {
  const relation = node.relation as RangeVar | undefined;
  if (!relation) return;
  const mode = isOptionOn(node.params, "concurrently") ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
  if (node.kind === "REINDEX_OBJECT_INDEX") effects.lockTableOf(relation, mode);
  else effects.lock(relation, mode);
}

/** Not run by being created: but PostgreSQL reads a body in SQL, and locks what it names meanwhile. */
function createFunction(effects: EffectsGatherer, node: SyntaxTree): void {
  if (node.sql_body) {
    effects.queries(node);
    return;
  }
  const options = (node.options ?? []) as { DefElem?: { defname?: string; arg?: SyntaxTree } }[];
  const argOf = (name: string) =>
    options.find(({ DefElem }) => DefElem?.defname === name)?.DefElem?.arg;
  const language = (argOf("language")?.String as { sval?: string } | undefined)?.sval;
  if (language?.toLowerCase() !== "sql") return;
  const [body] = names((argOf("as")?.List as { items?: unknown } | undefined)?.items);
  if (body === undefined || skipBlank(body) >= body.length) return;
  const parsed = parseSync(body) as { stmts?: { stmt: SyntaxTree }[] };
  for (const { stmt } of parsed.stmts ?? []) effects.queries(stmt);
}

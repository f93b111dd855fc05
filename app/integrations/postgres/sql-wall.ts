import { scanBody } from "./sql-body.ts";
import { judgePath } from "./sql-path.ts";
import {
  CLOSING,
  type Finding,
  FORBIDDEN_EXTENSIONS,
  FORBIDDEN_STATEMENTS,
  FOREIGN_FINDING,
  functionFinding,
  isForbiddenFunction,
  isProtected,
  isSettable,
  LEDGER_SCHEMAS,
  PG_SETTINGS_FINDING,
  protectedSchemaFinding,
  roleFinding,
  SERVER_FINDING,
  SESSION_FINDING,
  settingFinding,
  TRANSACTION_FINDING,
} from "./sql-rules.ts";
import { changedSchemas } from "./sql-targets.ts";
import { isOptionOn, names, nodeOf, type SyntaxTree, walk } from "./syntax-tree.ts";

export type { Finding } from "./sql-rules.ts";

export interface WallOptions {
  transactional: boolean;
  /** Splits the text of an SQL function's body with the same parser. */
  parseBody: (body: string) => Promise<SyntaxTree[]>;
}

/** Judges one statement and everything within it; null when it may run. */
export async function checkStatement(
  tree: SyntaxTree,
  options: WallOptions,
): Promise<Finding | null> {
  const outer = options.transactional ? refuseOutsideTransaction(tree) : requireAlone(tree);
  return outer ?? (await checkWithin(tree, options, false));
}

async function checkWithin(
  tree: SyntaxTree,
  options: WallOptions,
  inBody: boolean,
): Promise<Finding | null> {
  const top = nodeOf(tree);
  const definesFunction = top.name === "CreateFunctionStmt" || top.name === "AlterFunctionStmt";
  for (const { key, node } of walk(tree)) {
    const finding =
      FORBIDDEN_STATEMENTS[key] ??
      checkName(key, node) ??
      (key === "VariableSetStmt" ? checkSetting(node, definesFunction) : null) ??
      (key === "FuncCall" ? checkSetConfig(node) : null) ??
      (key === "CreateSchemaStmt" && node.authrole
        ? roleFinding("a schema that belongs to another role")
        : null) ??
      (key === "CreateExtensionStmt" ? checkExtension(node) : null);
    if (finding) return finding;
    // At run time a function acts for whoever calls it, under their privileges: only the ledger
    // is closed to it. What the file itself does is held to all of the rule.
    if (!inBody) {
      const schema = changedSchemas(key, node).find(isProtected);
      if (schema) return protectedSchemaFinding(schema);
    }
    if (key === "CreateFunctionStmt" || key === "DoStmt") {
      const body = await checkRoutine(key, node, options);
      if (body) return body;
    }
  }
  return null;
}

/** Function names appear as `String` nodes, in calls and in CREATE OPERATOR or AGGREGATE alike. */
function checkName(key: string, node: SyntaxTree): Finding | null {
  if (key === "String" && typeof node.sval === "string" && isForbiddenFunction(node.sval)) {
    return functionFinding(node.sval);
  }
  const schema = node.schemaname;
  if (typeof schema === "string" && LEDGER_SCHEMAS.has(schema)) {
    return protectedSchemaFinding(schema);
  }
  return node.relname === "pg_settings" ? PG_SETTINGS_FINDING : null;
}

function checkSetting(node: SyntaxTree, onFunction: boolean): Finding | null {
  const name = String(node.name ?? "").toLowerCase();
  if (name === "role" || name === "session_authorization") {
    const role = name === "role" ? "SET ROLE" : "SET SESSION AUTHORIZATION";
    return roleFinding(node.kind === "VAR_RESET" ? role.replace("SET", "RESET") : role);
  }
  if (node.kind === "VAR_SET_MULTI") return TRANSACTION_FINDING;
  const path = name === "search_path" ? judgePath(pathOf(node)) : null;
  if (path) return path;
  // A setting of a function holds within it; what the customer answered is the runner's to say.
  if (onFunction) return name.startsWith("berth.") ? settingFinding(name) : null;
  if (node.is_local !== true) {
    return { ...SESSION_FINDING, found: `SET ${name}`.trim(), fix: "Write SET LOCAL." };
  }
  return isSettable(name) ? null : settingFinding(name);
}

/** The entries that a SET gives to search_path; none for RESET, DEFAULT and FROM CURRENT. */
function pathOf({ args = [] }: SyntaxTree): string[] | null {
  const entries = (args as SyntaxTree[]).map(constantText);
  return entries.every((entry) => entry !== undefined) ? entries : null;
}

function constantText(tree: SyntaxTree | undefined): string | undefined {
  const constant = tree?.A_Const as { sval?: { sval?: string } } | undefined;
  return constant?.sval?.sval;
}

function checkSetConfig(node: SyntaxTree): Finding | null {
  if (names(node.funcname).at(-1) !== "set_config") return null;
  const args = node.args as SyntaxTree[] | undefined;
  const name = constantText(args?.[0])?.toLowerCase();
  if (!name) return settingFinding("a name computed at run time");
  const value = constantText(args?.[1]);
  if (!isSettable(name)) return settingFinding(name);
  const path = name === "search_path" ? judgePath(value === undefined ? null : [value]) : null;
  if (path) return path;
  const local = args?.[2]?.A_Const as { boolval?: { boolval?: boolean } } | undefined;
  if (local?.boolval?.boolval === true) return null;
  return { ...SESSION_FINDING, fix: "Pass true as the third argument of set_config." };
}

function checkExtension(node: SyntaxTree): Finding | null {
  const name = String(node.extname ?? "");
  if (!FORBIDDEN_EXTENSIONS.has(name)) return null;
  return { ...FOREIGN_FINDING, found: `the extension ${name}` };
}

async function checkRoutine(
  key: string,
  node: SyntaxTree,
  options: WallOptions,
): Promise<Finding | null> {
  const elements = (node.options ?? node.args ?? []) as { DefElem?: SyntaxTree }[];
  const option = (name: string) =>
    elements.find((e) => e.DefElem?.defname === name)?.DefElem?.arg as SyntaxTree | undefined;
  const stringOf = (tree: SyntaxTree | undefined) =>
    (tree?.String as { sval?: string } | undefined)?.sval;
  const language =
    stringOf(option("language"))?.toLowerCase() ?? (key === "DoStmt" ? "plpgsql" : "sql");
  if (language !== "sql" && language !== "plpgsql") {
    return { ...FOREIGN_FINDING, found: `the language ${language}` };
  }
  const source = option("as");
  const list = (source?.List as { items?: SyntaxTree[] } | undefined)?.items;
  const body = stringOf(list ? list[0] : source);
  // Without a text the body was written as statements, which the walk has seen.
  if (body === undefined) return null;
  if (language === "plpgsql") return scanBody(body, { runsNow: key === "DoStmt" });
  let trees: SyntaxTree[];
  try {
    trees = await options.parseBody(body);
  } catch (error) {
    return {
      found: `a function whose body cannot be read (${(error as Error).message})`,
      reason: "what cannot be read cannot be judged",
      fix: "Correct the function's body.",
    };
  }
  for (const tree of trees) {
    const finding = await checkWithin(tree, options, true);
    if (finding) return finding;
  }
  return null;
}

const isConcurrentReindex = (node: SyntaxTree) => isOptionOn(node.params, "concurrently");

/** Refuses, in a file with a transaction, what cannot run in one. */
function refuseOutsideTransaction(tree: SyntaxTree): Finding | null {
  const alone = (found: string): Finding => ({
    found,
    reason: "it cannot run inside a transaction",
    fix: "Put it alone into a file marked `-- berth: transaction=none`.",
  });
  for (const { key, node } of walk(tree)) {
    if (node.concurrent === true && key !== "RefreshMatViewStmt") return alone("CONCURRENTLY");
    if (key === "ReindexStmt") {
      if (isConcurrentReindex(node)) return alone("REINDEX CONCURRENTLY");
      const wide = !["REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"].includes(String(node.kind));
      if (wide) return { ...SERVER_FINDING, found: "REINDEX of a whole schema or database" };
    }
    if (key === "VacuumStmt" && node.is_vacuumcmd === true) {
      return isOptionOn(node.options, "full") ? CLOSING.vacuumFull : alone("VACUUM");
    }
    if (key === "ClusterStmt" && !node.relation) {
      return { ...SERVER_FINDING, found: "CLUSTER of all tables" };
    }
  }
  return null;
}

/**
 * What closes a whole table until it ends. Outside a transaction the runner waits for it without a
 * limit of its own, and every reader and writer who comes later waits behind it.
 */
function closesTable(tree: SyntaxTree): Finding | null {
  const { name, node } = nodeOf(tree);
  if (name === "VacuumStmt" && isOptionOn(node.options, "full")) return CLOSING.vacuumFull;
  if (name === "ReindexStmt" && !isConcurrentReindex(node)) return CLOSING.reindex;
  return name === "ClusterStmt" ? CLOSING.cluster : null;
}

/** Refuses, in a file without a transaction, all but the kinds whose re-run is provably safe. */
function requireAlone(tree: SyntaxTree): Finding | null {
  const closing = closesTable(tree);
  if (closing) return closing;
  const { name, node } = nodeOf(tree);
  const one = (list: unknown) => Array.isArray(list) && list.length === 1;
  const allowed =
    (name === "IndexStmt" && node.concurrent === true && Boolean(node.idxname)) ||
    (name === "DropStmt" && node.concurrent === true && one(node.objects)) ||
    (name === "ReindexStmt" &&
      isConcurrentReindex(node) &&
      ["REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"].includes(String(node.kind))) ||
    (name === "VacuumStmt" && node.is_vacuumcmd === true && one(node.rels));
  if (allowed) return null;
  return {
    found: "a statement that a file without a transaction may not hold",
    reason: "after a lost connection nobody could tell whether it took effect",
    fix:
      "Such a file holds one CREATE INDEX CONCURRENTLY with a name, DROP INDEX CONCURRENTLY of one " +
      "index, REINDEX (INDEX or TABLE) CONCURRENTLY, or VACUUM of one table, without FULL.",
  };
}

import type { LockMode } from "./lock-modes.ts";
import type { SyntaxTree } from "./syntax-tree.ts";

/** A table as the parser names it. */
export interface RangeVar {
  schemaname?: string;
  relname: string;
  alias?: { aliasname?: string };
  relpersistence?: string;
}

const CHANGES = new Set(["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"]);

/** Names that stand for no table here, and the tables whose rows FOR UPDATE or FOR SHARE locks. */
interface Scope {
  ctes: ReadonlySet<string>;
  rowLocks: "all" | ReadonlySet<string> | null;
}

interface Todo extends Scope {
  key: string;
  value: unknown;
}

/**
 * The tables that the queries within a tree read or change, with the lock that each takes. Names of
 * WITH queries are no tables. A stack instead of recursion, as in `walk`.
 */
export function* tablesIn(root: SyntaxTree): Generator<{ table: RangeVar; mode: LockMode }> {
  const stack: Todo[] = [{ key: "", value: root, ctes: new Set(), rowLocks: null }];
  for (let todo = stack.pop(); todo; todo = stack.pop()) {
    const { key, value, ...scope } = todo;
    if (Array.isArray(value)) {
      for (const item of value) stack.push({ key, value: item, ...scope });
      continue;
    }
    if (value === null || typeof value !== "object") continue;
    if (key === "RangeVar") {
      const table = value as RangeVar;
      if (table.schemaname !== undefined || !scope.ctes.has(table.relname)) {
        yield { table, mode: locksRows(table, scope) ? "ROW SHARE" : "ACCESS SHARE" };
      }
      continue;
    }
    const node = value as SyntaxTree;
    if (CHANGES.has(key)) yield { table: node.relation as RangeVar, mode: "ROW EXCLUSIVE" };
    const inner = pushWithQueries(node, scope, stack);
    for (const [name, child] of Object.entries(node)) {
      if (name === "withClause" || name === "lockingClause") continue;
      stack.push({
        key: name,
        value: child,
        ctes: inner,
        rowLocks: rowLocksFor(key, name, node, scope),
      });
    }
  }
}

/** The row locks of a SELECT hold for its FROM, through joins and subqueries, and for nothing else. */
function rowLocksFor(key: string, name: string, node: SyntaxTree, scope: Scope): Scope["rowLocks"] {
  if (key !== "SelectStmt") return scope.rowLocks;
  return name === "fromClause" ? (rowLocksOf(node) ?? scope.rowLocks) : null;
}

function locksRows({ relname, alias }: RangeVar, { rowLocks }: Scope): boolean {
  return rowLocks === "all" || (rowLocks?.has(alias?.aliasname ?? relname) ?? false);
}

function rowLocksOf(select: SyntaxTree): Scope["rowLocks"] {
  const clauses = select.lockingClause as { LockingClause?: SyntaxTree }[] | undefined;
  if (!clauses) return null;
  const named = clauses.map(({ LockingClause }) => LockingClause?.lockedRels as SyntaxTree[]);
  if (named.some((rels) => rels === undefined)) return "all";
  return new Set(named.flat().map((rel) => (rel.RangeVar as RangeVar).relname));
}

/** Queues the bodies of WITH, each seeing the names before it; answers what the statement sees. */
function pushWithQueries(node: SyntaxTree, scope: Scope, stack: Todo[]): ReadonlySet<string> {
  const clause = node.withClause as { ctes?: SyntaxTree[]; recursive?: boolean } | undefined;
  if (!clause?.ctes) return scope.ctes;
  const queries = clause.ctes.map((cte) => cte.CommonTableExpr as SyntaxTree);
  const all = new Set([...scope.ctes, ...queries.map(({ ctename }) => String(ctename))]);
  const seen = new Set(scope.ctes);
  for (const { ctename, ctequery } of queries) {
    const ctes = clause.recursive ? all : new Set(seen);
    stack.push({ key: "ctequery", value: ctequery, ctes, rowLocks: null });
    seen.add(String(ctename));
  }
  return all;
}

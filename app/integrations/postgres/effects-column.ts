import { STEADY } from "./effects-calls.ts";
import { names, type SyntaxTree, walk } from "./syntax-tree.ts";

const SERIALS = /^(small|big)?serial[248]?$/;

/** Why ADD COLUMN writes the whole table anew; undefined where it does not. */
export function addColumnRewrite(
  column: SyntaxTree,
  constraints: SyntaxTree[],
): string | undefined {
  const name = String(column.colname);
  const types = names((column.typeName as SyntaxTree | undefined)?.names);
  const isNumbered =
    constraints.some(({ contype }) => contype === "CONSTR_IDENTITY") ||
    (types.length === 1 && SERIALS.test(types[0] ?? ""));
  if (isNumbered) return `the new column ${name} numbers every row`;
  if (constraints.some(({ contype }) => contype === "CONSTR_GENERATED")) {
    return `the new column ${name} is computed and stored in every row`;
  }
  const fallback = constraints.find(({ contype }) => contype === "CONSTR_DEFAULT")?.raw_expr;
  const called = fallback ? volatileCall(fallback as SyntaxTree) : undefined;
  return called && `the new column ${name} gets a value of its own in every row, from ${called}()`;
}

/** The first function that may give another value for each row. */
function volatileCall(expression: SyntaxTree): string | undefined {
  for (const { key, node } of walk(expression)) {
    const name = key === "FuncCall" ? names(node.funcname).at(-1) : undefined;
    if (name !== undefined && !STEADY.has(name)) return name;
  }
  return undefined;
}

/** A type as one would write it, without its modifiers. */
export function typeInWords(typeName: unknown): string {
  const { names: parts, arrayBounds } = (typeName ?? {}) as SyntaxTree;
  const own = names(parts).filter((part) => part !== "pg_catalog");
  return own.join(".") + (arrayBounds ? "[]" : "");
}

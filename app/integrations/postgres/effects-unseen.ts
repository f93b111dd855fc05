import type { SyntaxTree } from "./syntax-tree.ts";

/** Statements that lock no table, as PostgreSQL's parser names them. */
const LOCKLESS = new Set(
  (
    "DefineStmt CompositeTypeStmt CreateEnumStmt CreateRangeStmt CreateDomainStmt AlterEnumStmt " +
    "AlterTypeStmt AlterFunctionStmt AlterOperatorStmt CreateCastStmt CreateConversionStmt " +
    "CreateOpClassStmt CreateOpFamilyStmt AlterOpFamilyStmt AlterCollationStmt AlterStatsStmt " +
    "AlterTSConfigurationStmt AlterTSDictionaryStmt AlterDefaultPrivilegesStmt GrantStmt " +
    "AlterObjectDependsStmt NotifyStmt VariableShowStmt ConstraintsSetStmt"
  ).split(" "),
);

/** SET NOT NULL, ADD CONSTRAINT and VALIDATE CONSTRAINT, as ALTER DOMAIN has them in the tree. */
const CHECKS_TABLES = new Set(["O", "C", "V"]);

/** What may lock any table in a statement that names none; undefined where it locks none. */
export function unseenIn(name: string, node: SyntaxTree): string | undefined {
  if (LOCKLESS.has(name)) return undefined;
  if (name === "DoStmt") return "a DO block";
  if (name !== "AlterDomainStmt") return inWords(name);
  const constraint = (node.def as { Constraint?: SyntaxTree } | undefined)?.Constraint;
  // NOT VALID is for values to come, and what is taken away needs no look at a table either.
  const looks = CHECKS_TABLES.has(String(node.subtype)) && !constraint?.skip_validation;
  return looks ? "ALTER DOMAIN, which looks at each table that uses it" : undefined;
}

/** "CreateExtensionStmt" as "CREATE EXTENSION". */
const inWords = (name: string) =>
  name
    .replace(/Stmt$/, "")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase();

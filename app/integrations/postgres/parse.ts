import { parse } from "libpg-query";
import { ForbiddenStatementError, SqlSyntaxError } from "./sql-errors.ts";
import { skipBlank } from "./sql-tokens.ts";
import { checkStatement, type Finding } from "./sql-wall.ts";
import { nodeOf, type SyntaxTree } from "./syntax-tree.ts";

export interface ParsedStatement {
  /** The statement's text with the comments before it, without its semicolon. */
  sql: string;
  /** Line of its first word in the file, counted from 1. */
  line: number;
}

export interface LocatedTree extends ParsedStatement {
  tree: SyntaxTree;
}

/**
 * Splits SQL into its statements with PostgreSQL 17's own grammar.
 *
 * @throws SqlSyntaxError with the file and the line; also for NUL, half surrogates and psql's own
 * commands, none of which a server takes.
 */
export async function splitStatements(sql: string, file: string): Promise<LocatedTree[]> {
  refuseBadText(sql, file);
  if (skipBlank(sql) >= sql.length) return [];
  let parsed: { stmts?: { stmt: SyntaxTree; stmt_location?: number; stmt_len?: number }[] };
  try {
    parsed = await parse(sql);
  } catch (error) {
    throw syntaxError(sql, file, error);
  }
  // The parser counts in bytes of UTF-8.
  const bytes = Buffer.from(sql, "utf8");
  return (parsed.stmts ?? []).map(({ stmt, stmt_location = 0, stmt_len }) => {
    const end = stmt_len ? stmt_location + stmt_len : bytes.length;
    const raw = bytes.toString("utf8", stmt_location, end);
    const before = bytes.toString("utf8", 0, stmt_location);
    return {
      tree: stmt,
      sql: raw.trim(),
      line: lineAt(before + raw, before.length + skipBlank(raw)),
    };
  });
}

/**
 * Reads a migration or seed file: PostgreSQL's parser splits it, and the wall refuses what could
 * escape the step's transaction, its lock or its role, reach outside the database, or write to
 * schemas that are not the template's. A file with `transactional: false` holds exactly one
 * statement that cannot run in a transaction.
 *
 * @throws SqlSyntaxError, ForbiddenStatementError: both with file, line, found and fix.
 */
export async function parseMigration(
  sql: string,
  options: { file: string; transactional: boolean },
): Promise<{ statements: ParsedStatement[]; trees: LocatedTree[] }> {
  const located = await splitStatements(sql, options.file);
  if (!options.transactional && located.length !== 1) {
    throw new ForbiddenStatementError(
      { file: options.file, line: located[1]?.line ?? 1 },
      `a file without a transaction that has ${located.length === 0 ? "no statement" : `${located.length} statements`}`,
      "it holds exactly one: if a second one failed, nothing could undo the first",
      "Put each such statement in a file of its own.",
    );
  }
  for (const { tree, line } of located) {
    const finding = await checkStatement(tree, {
      transactional: options.transactional,
      parseBody: async (body) => (await splitStatements(body, options.file)).map((s) => s.tree),
    });
    if (finding) throw refuse(finding, options.file, line);
  }
  return {
    statements: located.map(({ sql: text, line }) => ({ sql: text, line })),
    trees: located,
  };
}

/** What a statement of a file without a transaction acts on; null for any other kind. */
export type NonTransactional =
  | { kind: "create_index"; schema: string | null; table: string; index: string; lenient: boolean }
  | { kind: "drop_index"; schema: string | null; index: string }
  | { kind: "reindex"; schema: string | null; relation: string; object: "index" | "table" }
  | { kind: "vacuum" };

/** Describes the single statement of a file without a transaction. */
export async function describeNonTransactional(
  sql: string,
  file: string,
): Promise<NonTransactional | null> {
  const [only, ...more] = await splitStatements(sql, file);
  if (!only || more.length > 0) return null;
  const { name, node } = nodeOf(only.tree);
  const relation = node.relation as { schemaname?: string; relname: string } | undefined;
  const schema = relation?.schemaname ?? null;
  switch (name) {
    case "IndexStmt":
      return {
        kind: "create_index",
        schema,
        table: relation?.relname ?? "",
        index: String(node.idxname ?? ""),
        lenient: node.if_not_exists === true,
      };
    case "DropStmt": {
      const parts = stringsIn((node.objects as SyntaxTree[])[0]);
      return { kind: "drop_index", schema: parts.at(-2) ?? null, index: parts.at(-1) ?? "" };
    }
    case "ReindexStmt":
      return {
        kind: "reindex",
        schema,
        relation: relation?.relname ?? "",
        object: node.kind === "REINDEX_OBJECT_INDEX" ? "index" : "table",
      };
    case "VacuumStmt":
      return { kind: "vacuum" };
    default:
      return null;
  }
}

function stringsIn(list: SyntaxTree | undefined): string[] {
  const items = (list?.List as { items?: { String?: { sval?: string } }[] } | undefined)?.items;
  return (items ?? []).map((item) => item.String?.sval ?? "");
}

function refuse(finding: Finding, file: string, line: number): ForbiddenStatementError {
  return new ForbiddenStatementError({ file, line }, finding.found, finding.reason, finding.fix);
}

function refuseBadText(sql: string, file: string): void {
  // The parser takes a C string: it would read up to a NUL and call the rest correct.
  const nul = sql.indexOf("\0");
  if (nul >= 0) {
    throw new SqlSyntaxError({ file, line: lineAt(sql, nul) }, "a NUL character", "Remove it.");
  }
  if (!sql.isWellFormed()) {
    const fix = "Save the file as UTF-8.";
    throw new SqlSyntaxError({ file, line: 1 }, "half of a surrogate pair", fix);
  }
  if (sql.startsWith("\ufeff")) {
    const fix = "Save the file as UTF-8 without a byte order mark.";
    throw new SqlSyntaxError({ file, line: 1 }, "a byte order mark", fix);
  }
}

function syntaxError(sql: string, file: string, error: unknown): SqlSyntaxError {
  const { sqlDetails, message } = error as Error & { sqlDetails?: { cursorPosition: number } };
  // The position counts characters, not UTF-16 units.
  const before = [...sql].slice(0, sqlDetails?.cursorPosition ?? 0).join("");
  const place = { file, line: lineAt(sql, before.length) };
  if (sqlDetails && sql[before.length] === "\\") {
    const command = sql.slice(before.length).split(/\s/, 1)[0];
    return new SqlSyntaxError(
      place,
      `${command} is a command of psql, which no server understands`,
      "Write it as SQL, or remove it.",
    );
  }
  return new SqlSyntaxError(place, message, "Correct the statement at this line.");
}

/** The line, counted from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset; i = text.indexOf("\n", i + 1)) line += 1;
  return line;
}

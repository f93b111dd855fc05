import { createHash } from "node:crypto";
import { effectsOf, type FileEffects } from "#app/integrations/postgres/effects.ts";
import { parseMigration } from "#app/integrations/postgres/parse.ts";
import { type FilePlace, TemplateFileInvalidError } from "./errors.ts";
import { parseTimeLimit, timeLimitForm } from "./limits.ts";

export type FilePhase = "schema" | "policies" | "seed" | "checks" | "uninstall";

/** One SQL file of a template, parsed by PostgreSQL's own grammar. */
export interface TemplateFile {
  /** Relative to the templates' folder, with forward slashes. */
  path: string;
  /** The 14 digits of a migration; empty for seed.sql and the like, which have none. */
  version: string;
  name: string;
  phase: FilePhase;
  /** The template that this file serves: it is applied where that one is there too. */
  when: string | null;
  /** False for the single statement that PostgreSQL refuses inside a transaction. */
  transactional: boolean;
  /** Longest time for each statement, in milliseconds; null for the runner's own limit. */
  timeoutMs: number | null;
  sql: string;
  /** SHA-256 of `sql`, in hexadecimal. */
  checksum: string;
  /** Each with the line of its first word, counted from 1. */
  statements: { sql: string; line: number }[];
  /** What it creates, locks and rewrites, wherever it runs. */
  effects: FileEffects;
}

const migrationName = /^(?<version>[0-9]{14})_(?<name>[a-z][a-z0-9_]{0,99})\.sql$/;

export const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex");

/**
 * Reads a migration. Its first comment lines may hold directives: `-- berth: phase=policies`
 * (default `schema`), `-- berth: transaction=none`, `-- berth: timeout=10min` and
 * `-- berth: when=inventory`.
 *
 * @throws TemplateFileInvalidError, SqlSyntaxError, ForbiddenStatementError: file, line and fix.
 */
export async function readMigration(path: string, sql: string): Promise<TemplateFile> {
  const fileName = path.slice(path.lastIndexOf("/") + 1);
  const parts = migrationName.exec(fileName)?.groups;
  if (!parts?.version || !parts.name) {
    throw new TemplateFileInvalidError(
      { file: path, line: 1 },
      {
        problem: "this is not the name of a migration",
        found: fileName,
        needed: "14 digits, an underscore, a name of small letters, digits and underscores, .sql",
        fix: "Rename the file to something like 20260901000100_products.sql, or move it away.",
      },
    );
  }
  const { version, name } = parts;
  return describeFile({ path, version, name, ...readDirectives(path, sql), sql });
}

/**
 * Reads a seed.sql, checks.sql or uninstall.sql; none may hold directives, and a checks.sql is one
 * query.
 *
 * @throws TemplateFileInvalidError, SqlSyntaxError, ForbiddenStatementError: file, line and fix.
 */
export async function readPlainFile(
  path: string,
  sql: string,
  phase: "seed" | "checks" | "uninstall",
): Promise<TemplateFile> {
  refuseLaterDirectives(path, sql, 0);
  const described = await describeFile({
    path,
    version: "",
    name: phase,
    phase,
    when: null,
    transactional: true,
    timeoutMs: null,
    sql,
  });
  if (phase === "checks" && described.statements.length !== 1) {
    throw new TemplateFileInvalidError(
      { file: path, line: described.statements[1]?.line ?? 1 },
      {
        problem: `the checks are one query, and there are ${described.statements.length} statements`,
        needed: "one query with the columns check_name, ok and detail",
        fix: "Join the queries with UNION ALL.",
      },
    );
  }
  return described;
}

async function describeFile(
  file: Omit<TemplateFile, "checksum" | "statements" | "effects">,
): Promise<TemplateFile> {
  const { path, sql, transactional } = file;
  const { statements, trees } = await parseMigration(sql, { file: path, transactional });
  if (statements.length === 0) {
    throw new TemplateFileInvalidError(
      { file: path, line: 1 },
      { problem: "the file holds no statement", fix: "Write one, or remove the file." },
    );
  }
  return { ...file, checksum: sha256(sql), statements, effects: effectsOf(trees) };
}

interface Directives {
  phase: "schema" | "policies";
  when: string | null;
  transactional: boolean;
  timeoutMs: number | null;
}

const directiveLine = /^\s*--\s*berth:(?<words>.*)$/i;

function readDirectives(file: string, sql: string): Directives {
  const directives: Directives = {
    phase: "schema",
    when: null,
    transactional: true,
    timeoutMs: null,
  };
  const lines = sql.split("\n");
  let index = 0;
  for (; index < lines.length && /^\s*(--|$)/.test(lines[index] as string); index += 1) {
    const words = directiveLine.exec(lines[index] as string)?.groups?.words;
    if (words === undefined) continue;
    for (const word of words.trim().split(/\s+/)) {
      if (word === "phase=schema" || word === "phase=policies") {
        directives.phase = word === "phase=policies" ? "policies" : "schema";
      } else if (word === "transaction=none") {
        directives.transactional = false;
      } else if (/^when=[a-z][a-z0-9-]{1,39}$/.test(word)) {
        directives.when = word.slice("when=".length);
      } else if (word.startsWith("timeout=")) {
        directives.timeoutMs = readTimeout({ file, line: index + 1 }, word);
      } else {
        throw new TemplateFileInvalidError(
          { file, line: index + 1 },
          {
            problem: `the directive "${word}" is unknown`,
            found: word,
            needed:
              "phase=schema, phase=policies, transaction=none, timeout=10min or when=inventory",
            fix: "Correct its spelling, or remove the line.",
          },
        );
      }
    }
  }
  refuseLaterDirectives(file, sql, index);
  return directives;
}

/** @throws TemplateFileInvalidError */
function readTimeout(place: FilePlace, word: string): number {
  const timeoutMs = parseTimeLimit(word.slice("timeout=".length));
  if (timeoutMs !== null) return timeoutMs;
  throw new TemplateFileInvalidError(place, {
    problem: `"${word}" is no time limit for a statement`,
    found: word,
    needed: timeLimitForm,
    fix: "Write it like timeout=30s, timeout=10min or timeout=2h.",
  });
}

/** A directive that nobody reads would be a surprise at the worst moment. */
function refuseLaterDirectives(file: string, sql: string, from: number): void {
  const late = sql
    .split("\n")
    .findIndex((line, index) => index >= from && directiveLine.test(line));
  if (late < 0) return;
  throw new TemplateFileInvalidError(
    { file, line: late + 1 },
    {
      problem: "a directive stands where it has no effect",
      needed: "directives in the first comment lines of a migration",
      fix: "Move it to the top of the migration, or remove it.",
    },
  );
}

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import type { Catalog, Template } from "#app/domain/catalog/index.server.ts";
import type { TemplateFile } from "#app/domain/catalog/template-file.ts";
import { effectsOf } from "#app/integrations/postgres/effects.ts";
import { splitStatements } from "#app/integrations/postgres/parse.ts";
import { type Finding, finding } from "./findings.ts";
import { standingTables } from "./lock-rules.ts";

const squawk = path.join(
  import.meta.dirname,
  ...["..", "..", "node_modules", "squawk-cli", "js", "bin", "squawk"],
);

/** Rules of squawk that are switched off, each with its reason. */
const EXCLUDED = {
  "require-lock-timeout": "the runner sets lock_timeout, and the wall refuses to change it",
  "require-statement-timeout":
    "the runner sets statement_timeout, and a file's directive says how long",
  "prefer-robust-stmts":
    "a file and its ledger row commit together; IF NOT EXISTS would pass over an index that is not valid",
  "prefer-bigint-over-int": "what is counted with an integer has a CHECK that bounds it",
  "prefer-bigint-over-smallint": "the same",
};

/** Rules about what readers, writers and clients of a table suffer: nobody has a table that is new. */
const ABOUT_STANDING_TABLES =
  /^(adding-|ban-|changing-|constraint-|disallowed-|renaming-|require-concurrent-)/;

interface SquawkFinding {
  file: string;
  /** Counted from 0. */
  line: number;
  rule_name: string;
  message: string;
  help: string | null;
}

/** squawk's findings about a template's SQL, less those that cannot hurt anybody. */
export async function lintFindings(
  folder: string,
  catalog: Catalog,
  template: Template,
  files: readonly TemplateFile[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const transactional of [true, false]) {
    const some = files.filter((file) => file.transactional === transactional);
    for (const found of await runSquawk(folder, some, transactional)) {
      const file = some.find((each) => path.join(folder, each.path) === found.file);
      if (!file || (await hurtsNobody(catalog, template, file, found))) continue;
      findings.push(
        finding({
          rule: found.rule_name,
          file: file.path,
          line: found.line + 1,
          what: `squawk's rule ${found.rule_name}`,
          why: found.message.replace(/\.$/, ""),
          fix: found.help ?? "Carry it out in steps that leave what exists as it is.",
        }),
      );
    }
  }
  return findings;
}

/** What an error of `execFile` holds besides its message. */
interface Ended {
  code?: number | string;
  stdout: string;
  stderr: string;
}

async function runSquawk(
  folder: string,
  files: readonly TemplateFile[],
  transactional: boolean,
): Promise<SquawkFinding[]> {
  if (files.length === 0) return [];
  const args = [
    "--reporter=json",
    "--pg-version=15",
    `--exclude=${Object.keys(EXCLUDED).join(",")}`,
    ...(transactional ? ["--assume-in-transaction"] : []),
    ...files.map((file) => path.join(folder, file.path)),
  ];
  const { code, stdout, stderr } = await promisify(execFile)(process.execPath, [squawk, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  }).then(
    (output): Ended => ({ code: 0, ...output }),
    (error: Ended) => error,
  );
  // It ends with 1 where it found something.
  if (code !== 0 && code !== 1) throw new Error(`squawk could not run: ${stderr || code}`);
  return JSON.parse(stdout) as SquawkFinding[];
}

async function hurtsNobody(
  catalog: Catalog,
  template: Template,
  file: TemplateFile,
  found: SquawkFinding,
): Promise<boolean> {
  if (!ABOUT_STANDING_TABLES.test(found.rule_name)) return false;
  const all = await splitStatements(file.sql, file.path);
  const statement = all.findLast(({ line }) => line <= found.line + 1);
  if (!statement) return false;
  const { locks, byIndex, byLink } = effectsOf([statement]);
  if (byIndex.length + byLink.length > 0) return false;
  const standing = standingTables(catalog, template, file);
  return locks.every(({ relation }) => !standing.has(relation));
}

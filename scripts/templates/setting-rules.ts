import { settingName, type Template } from "#app/domain/catalog/index.server.ts";
import type { TemplateFile } from "#app/domain/catalog/template-file.ts";
import { type Token, tokenize } from "#app/integrations/postgres/sql-tokens.ts";
import { codeOf } from "./code.ts";
import { type Finding, finding } from "./findings.ts";

/**
 * What customers answer reaches SQL only as settings, and only in a seed: migrations are the same
 * for everybody, and an answer that became part of a statement's text could be anything.
 */
export function settingFindings(
  template: Template,
  files: readonly TemplateFile[],
  manifest: { file: string; lineOf: (path: PropertyKey[]) => number },
): Finding[] {
  const findings: Finding[] = [];
  const declared = new Map(
    template.parameters.map(({ name }) => [settingName(template.name, name), name]),
  );
  const read = new Set<string>();
  for (const file of files) {
    for (const { name, line, executes } of readings(file)) {
      if (name !== null && file.phase === "seed") read.add(name);
      const broken = judge(file, name, executes, declared);
      const found = broken && finding({ file: file.path, line, ...broken });
      const isKnown = findings.some(({ message }) => message === found?.message);
      if (found && !isKnown) findings.push(found);
    }
  }
  for (const [index, { name }] of template.parameters.entries()) {
    const setting = settingName(template.name, name);
    if (read.has(setting)) continue;
    findings.push(
      finding({
        rule: "parameter_unread",
        file: manifest.file,
        line: manifest.lineOf(["parameters", index]),
        what: `no seed reads the parameter ${name}`,
        why: "customers would be asked for something that changes nothing",
        fix: `Read current_setting('${setting}', true) in seed.sql, or remove the parameter.`,
      }),
    );
  }
  return findings;
}

interface Reading {
  /** null for a name that is computed at run time */
  name: string | null;
  line: number;
  /** Whether the same body runs SQL given as text. */
  executes: boolean;
}

function judge(
  { phase }: TemplateFile,
  name: string | null,
  executes: boolean,
  declared: ReadonlyMap<string, string>,
) {
  if (name === null) {
    return {
      rule: "setting_computed",
      what: "the name of a setting is computed at run time, or does not stand in current_setting()",
      why: "nobody can tell which one it reads",
      fix: "Write current_setting('berth.…', true), with the whole name in one plain string.",
    };
  }
  if (phase !== "seed") {
    return {
      rule: "parameter_outside_seed",
      what: `${name} is read outside seed.sql`,
      why: "a migration is the same for every customer, and the checks and functions run without answers",
      fix: "Read it in seed.sql, and keep what it says in a table.",
    };
  }
  if (!declared.has(name)) {
    return {
      rule: "parameter_undeclared",
      what: `${name} is no parameter of this template`,
      why: "nobody is asked for it, so it is never set",
      fix: "Declare it under parameters in template.yaml, or correct its name.",
    };
  }
  if (executes) {
    return {
      rule: "parameter_spliced",
      what: `${name} is read in a block that runs EXECUTE`,
      why: "an answer could become part of a statement",
      fix: "Use the answer as a value of an ordinary statement, outside that block.",
    };
  }
  return null;
}

function readings(file: TemplateFile): Reading[] {
  return file.statements.flatMap((statement) =>
    codeOf(statement).flatMap(({ tokens, isBody, lineOf }) => {
      const executes = isBody && tokens.some((token, i) => isExecute(token, tokens[i - 1]));
      return tokens.flatMap((token, i) =>
        namesAt(tokens, i, 0).map((name) => ({ name, line: lineOf(token), executes })),
      );
    }),
  );
}

/** EXECUTE as a statement; the privilege follows GRANT or REVOKE, or a comma in their list. */
const isExecute = ({ kind, text }: Token, before: Token | undefined) =>
  kind === "word" && text === "execute" && !/^(grant|revoke|,)$/.test(before?.text ?? "");

/** One literal without escapes, and nothing joined to it. */
const isPlain = (tokens: Token[], i: number) =>
  tokens[i]?.kind === "string" && !tokens[i]?.escaped && /^[,)]$/.test(tokens[i + 1]?.text ?? "");

/** Strings within strings are looked into as well, since EXECUTE runs them. */
function namesAt(tokens: Token[], i: number, depth: number): (string | null)[] {
  const token = tokens[i] as Token;
  const isCall = tokens[i - 1]?.text === "(" && tokens[i - 2]?.text === "current_setting";
  if (isCall && !isPlain(tokens, i)) return [null];
  if (token.text === "berth" && tokens[i + 1]?.text === "." && tokens[i - 1]?.text === "show") {
    return [null];
  }
  if (token.kind !== "string") return [];
  const name = token.text.trim().toLowerCase();
  if (/^berth\.[a-z0-9_.]*$/.test(name)) return isCall ? [name] : [null];
  // A body has been looked through already, with its own lines.
  const isBody = /^(as|do|plpgsql|sql)$/.test(tokens[i - 1]?.text ?? "");
  if (isBody || depth >= 4 || !name.includes("current_setting")) return [];
  const inner = tokenize(token.text);
  return inner.flatMap((_, index) => namesAt(inner, index, depth + 1));
}

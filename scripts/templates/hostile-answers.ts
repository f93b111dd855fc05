import type pg from "pg";
import { type Parameter, settingsOf, type Template } from "#app/domain/catalog/index.server.ts";
import { judgeAnswer } from "#app/domain/catalog/parameters-judge.ts";
import { own } from "#app/integrations/postgres/inventory-queries.ts";
import { literal } from "#app/integrations/postgres/script.ts";
import { type Bench, broken, inProject } from "./bench.ts";
import { asFinding, type Finding } from "./findings.ts";
import { type Answer, answersOf, type Project, preset } from "./project.ts";
import { runChecks } from "./run-checks.ts";
import { differences, type Snapshot, snapshotOf } from "./snapshot.ts";

/** What a fresh install with ordinary answers ended up with. */
export interface Installed {
  snapshot: Snapshot;
  /** The settings whose answers stand in a table as they were given. */
  kept: readonly string[];
}

/** How every hostile answer begins, and nothing else: a part of one is known by it. */
const MARK = "Qx7zB";
/**
 * Breaks out of each way to write text in SQL: quotes, dollar quotes, E'' and names; of comments and
 * of format() too. Out of plain quotes it makes a schema, so that a success shows as well as a
 * failure. A line's end is in no answer: every question refuses it.
 */
const HOSTILE = `${MARK}'; create schema spliced; -- $$ "a" \\ \\' %s %1$I {0} */ ‘b’ “c” `;

/** How every hostile answer ends: the part of a longer one is never the whole of a shorter one. */
const END = "»";

/** As long as the question allows; what it refuses nevertheless is answered as usual. */
const hostile: Answer = (parameter) => {
  if (parameter.type !== "text") return preset(parameter);
  const long = [...HOSTILE.padEnd(2 * parameter.max, "”")].slice(0, parameter.max - 1).join("");
  const judged = judgeAnswer(parameter, long + END);
  return "value" in judged ? judged.value : preset(parameter);
};

/** The answers to questions for text, by the names of their settings. */
export function textAnswers(
  templates: readonly Template[],
  answer: Answer,
): ReadonlyMap<string, string> {
  const isText = ({ type }: Parameter) => type === "text";
  const asking = templates.map(({ name, parameters }) => ({
    name,
    parameters: parameters.filter(isText),
  }));
  const settings = Object.entries(settingsOf(asking, answersOf(asking, answer)));
  return new Map(settings.filter(([, value]) => value !== ""));
}

/** Texts of the templates' tables that hold one of these. */
async function textsWith(
  client: pg.Client,
  parts: readonly string[],
): Promise<{ column: string; text: string }[]> {
  const { rows: columns } = await client.query<{ table: string; column: string }>(`
    select c.oid::regclass::text as table, quote_ident(a.attname) as column
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where c.relkind = 'r' and ${own("c.relnamespace")}
      and a.atttypid in ('text'::regtype, 'varchar'::regtype)`);
  if (columns.length === 0 || parts.length === 0) return [];
  const texts = columns.map(
    ({ table, column }) =>
      `select ${literal(`${table}.${column}`)} as column, ${column} as text from ${table}`,
  );
  const { rows } = await client.query<{ column: string; text: string }>(
    `select * from (${texts.join(" union all ")}) t
     where exists (select from unnest($1::text[]) part where position(part in t.text) > 0)`,
    [parts],
  );
  return rows;
}

/** The settings whose answers stand in a table as they were given. */
export async function keptAnswers(
  client: pg.Client,
  answers: ReadonlyMap<string, string>,
): Promise<string[]> {
  const found = await textsWith(client, [...answers.values()]);
  return [...answers]
    .filter(([, answer]) => found.some(({ text }) => text === answer))
    .map(([setting]) => setting);
}

/**
 * Installs templates with answers that a customer may give, and that are meant to become SQL. What
 * the texts' rules cannot see, in functions and in what is kept for later, fails here, or ends up
 * with another catalog or another text.
 */
export async function checkHostileAnswers(
  bench: Bench,
  title: string,
  templates: readonly Template[],
  ordinary: Installed,
): Promise<void> {
  const answers = textAnswers(templates, hostile);
  const isTried = [...answers.values()].some((answer) => answer.startsWith(MARK));
  if (!isTried) return;
  const seen = `${title}, hostile answers`;
  const work = async (project: Project, note: (found: Finding) => void) => {
    try {
      await project.run(templates, bench.files);
    } catch (error) {
      note(failed(asFinding(error)));
      return;
    }
    for (const found of await runChecks(project, templates)) note(found);
    const difference = differences(ordinary.snapshot, await snapshotOf(project.client));
    if (difference) {
      const fix = "Hand it over as a value, and never put it into a statement's text.";
      note(broken("answer_becomes_sql", null, `An answer became SQL: ${difference}. ${fix}`));
    }
    for (const found of await altered(project.client, answers, ordinary.kept)) note(found);
  };
  await inProject(bench, seen, "2026-10", work, hostile);
}

/** The failure of a run that passes with ordinary answers. */
function failed(found: Finding): Finding {
  const why = "It fails on an answer with quotes, backslashes and signs of SQL";
  const fix = "Use it as a value alone; what its table refuses, the parameter refuses too.";
  return { ...found, rule: "answer_fails", message: `${found.message} ${why}. ${fix}` };
}

/** Answers that are kept in part, or no longer. */
async function altered(
  client: pg.Client,
  answers: ReadonlyMap<string, string>,
  kept: readonly string[],
): Promise<Finding[]> {
  const given = [...answers.values()];
  const parts = (await textsWith(client, [MARK]))
    .filter(({ text }) => !given.some((answer) => text.includes(answer)))
    .map(({ column }) => `${column} holds a part of an answer with quotes and signs of SQL`);
  const there = await keptAnswers(client, answers);
  const lost = kept
    .filter((setting) => !there.includes(setting))
    .map((setting) => `${setting} is kept nowhere where it holds quotes and signs of SQL`);
  return (parts.length > 0 ? parts : lost).map((what) =>
    broken("answer_altered", null, `${what}. Keep the answer as it was given.`),
  );
}

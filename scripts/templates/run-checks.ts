import type { Template } from "#app/domain/catalog/index.server.ts";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import { broken, ended } from "./bench.ts";
import type { Finding } from "./findings.ts";
import type { Project } from "./project.ts";

/** Runs the templates' checks, as a run does at its end; answers what does not hold. */
export function runChecks(project: Project, templates: readonly Template[]): Promise<Finding[]> {
  return project.inSession(async (session) => {
    const findings: Finding[] = [];
    for (const { name, checks } of templates) {
      if (checks) findings.push(...(await judgeChecks(session, `${name}/checks.sql`, checks.sql)));
    }
    return findings;
  });
}

async function judgeChecks(session: RunSession, file: string, sql: string): Promise<Finding[]> {
  let rows: { check_name: unknown; ok: unknown; detail: unknown }[];
  try {
    rows = await session.check(sql);
  } catch (error) {
    return [broken("checks_fail", file, ended((error as Error).message))];
  }
  if (rows.length === 0) {
    const fix = "Answer a row for each assertion, also where it holds.";
    return [broken("checks_empty", file, `The checks answer no row. ${fix}`)];
  }
  const names = rows.map(({ check_name: check }) => check);
  const twice = names.find((name, i) => typeof name === "string" && names.indexOf(name) !== i);
  if (twice !== undefined) {
    const fix = "Give each check a name of its own.";
    return [broken("checks_form", file, `"${twice}" is the name of two checks. ${fix}`)];
  }
  return rows.flatMap(({ check_name: check, ok, detail }) => {
    if (typeof ok !== "boolean" || typeof check !== "string" || detail === undefined) {
      const fix = "Answer check_name (text), ok (true or false, never null) and detail (text).";
      const row = typeof check === "string" ? `"${check}"` : "A row";
      const what =
        typeof check !== "string"
          ? "has no check_name"
          : detail === undefined
            ? "has no detail"
            : "says neither yes nor no";
      return [broken("checks_form", file, `${row} ${what}. ${fix}`)];
    }
    return ok ? [] : [broken("checks_red", file, ended(`"${check}" does not hold: ${detail}`))];
  });
}

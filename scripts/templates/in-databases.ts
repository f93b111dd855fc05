import path from "node:path";
import type { Catalog, Template } from "#app/domain/catalog/index.server.ts";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import type { PostgresVersion } from "#local/cluster.ts";
import { advice } from "./advisors.ts";
import { asFinding, type Finding, type SeenFindings } from "./findings.ts";
import { type Place, placesOf } from "./places.ts";
import { newProject, type Project } from "./project.ts";
import { type GrantMode, grantModes, type ProjectServer } from "./project-server.ts";
import { editTexts } from "./repeated-seeds.ts";
import { breachesOf } from "./schema-rules.ts";
import { type Selection, selectionsOf, type Upgrade, upgradesOf } from "./selections.ts";
import { differences, rowsOf, type Snapshot, snapshotOf } from "./snapshot.ts";
import type { Timings } from "./timings.ts";

/** A server of one version, and what is done on it. */
export interface Bench {
  version: PostgresVersion;
  server: ProjectServer;
  catalog: Catalog;
  findings: SeenFindings;
  /** Of each file, and of each database as a whole. */
  files: Timings;
  databases: Timings;
}

/** The newer mode everywhere; what upgrades come from is as old as the server. */
const modeOfUpgrades: Record<PostgresVersion, GrantMode> = { 15: "legacy", 17: "2026-10" };

/** Applies everything to fresh databases of both modes, and each released version with its upgrade. */
export async function checkInDatabases(bench: Bench, names: readonly string[]): Promise<void> {
  const { catalog, version } = bench;
  const runs = (templates: readonly Template[]) =>
    templates.every(({ minimumPostgres }) => minimumPostgres <= version);
  const fresh = new Map<string, Snapshot>();
  const install = async (selection: Selection) => {
    if (fresh.has(selection.title)) return;
    for (const mode of grantModes) {
      const snapshot = await checkFresh(bench, selection, mode, fresh.get(selection.title));
      if (snapshot && !fresh.has(selection.title)) fresh.set(selection.title, snapshot);
    }
  };
  for (const selection of selectionsOf(catalog, names)) {
    if (runs(selection.templates)) await install(selection);
  }
  for (const upgrade of upgradesOf(catalog, names)) {
    if (!runs(upgrade.to)) continue;
    const title = upgrade.to.map(({ name }) => name).join(" + ");
    await install({ title, templates: upgrade.to });
    await checkUpgrade(bench, upgrade, fresh.get(title));
  }
  for (const name of names) {
    const template = catalog.get(name);
    if (template.uninstall && runs(catalog.order([name]))) await checkUninstall(bench, template);
  }
}

/** Opens a project, does the work, and turns what fails into a finding. */
async function inProject(
  bench: Bench,
  title: string,
  mode: GrantMode,
  work: (project: Project, note: (found: Finding) => void) => Promise<void>,
): Promise<void> {
  const { server, version, databases, findings } = bench;
  const seen = `${title}, PostgreSQL ${version}, ${mode} grants`;
  const note = (found: Finding) => findings.add(found, seen);
  await databases.of(seen, async () => {
    // Where nobody has answered, the seeds fall back: both ways are gone.
    const project = await newProject(server, mode, mode === "2026-10");
    try {
      await work(project, note);
    } catch (error) {
      note(asFinding(error));
    } finally {
      await project.end();
    }
  });
}

/** What of a template breaks a rule, where only a database can tell. */
const broken = (rule: string, file: string | null, message: string): Finding => ({
  rule,
  file,
  line: null,
  message: file === null ? message : `${file}: ${message}`,
  seen: [],
});

/** A breach of an object, with the place where the object was made. */
const misplaced = (rule: string, place: Place | null, message: string): Finding =>
  place === null
    ? broken(rule, null, message)
    : { ...broken(rule, null, `${place.file}:${place.line}: ${message}`), ...place };

/** A sentence of others, with one full stop at its end. */
const ended = (text: string) => `${text.replace(/[.\s]+$/, "")}.`;

async function checkFresh(
  bench: Bench,
  { title, templates }: Selection,
  mode: GrantMode,
  other: Snapshot | undefined,
): Promise<Snapshot | null> {
  let snapshot: Snapshot | null = null;
  await inProject(bench, title, mode, async (project, note) => {
    await project.run(templates, bench.files);
    const { client } = project;
    for (const found of await runChecks(project, templates)) note(found);

    const before = await rowsOf(client);
    const told = new Set<string>();
    const noteChanges = (changes: { file: string; tables: string[] }[]) => {
      for (const { file, tables } of changes) {
        const what = `When it ran again it changed or removed rows of ${tables.join(" and ")}`;
        const fix = "A customer may have changed them: insert what is missing, and no more.";
        const message = `${what}. ${fix}`;
        if (!told.has(file)) note(broken("seed_overwrites", file, message));
        told.add(file);
      }
    };
    noteChanges(await project.repeatSeeds(templates));
    const after = await rowsOf(client);
    const touched = [...after].filter(([table, rows]) => before.get(table) !== rows);
    if (touched.length > 0) {
      const names = touched.map(([table]) => table).join(", ");
      const fix = "A seed is run again at upgrades: insert only what is missing, change nothing.";
      note(broken("seed_repeats", null, `The seeds changed ${names} when they ran again. ${fix}`));
    }

    const placeOf = await placesOf(templates);
    const advised = await advice(client);
    for (const { lint, object, sentence } of advised) {
      note(misplaced(lint, placeOf(object), sentence));
    }
    // What an advisor has said of the object is not said again.
    for (const { object, rule, fix, lint } of await breachesOf(client)) {
      if (advised.some((each) => each.lint === lint && each.object.startsWith(object))) continue;
      if (advised.some((each) => each.lint === lint && object.startsWith(`${each.object}.`)))
        continue;
      note(misplaced("schema_rule", placeOf(object), `${object} ${rule}. ${fix}`));
    }
    snapshot = await snapshotOf(client);
    // Last, since it changes rows: as customers do, who then upgrade.
    await editTexts(client);
    noteChanges(await project.repeatSeeds(templates));
    const difference = other && differences(other, snapshot);
    if (difference) {
      const why = "the two kinds of project must end up the same";
      note(
        broken(
          "grant_modes_differ",
          null,
          `${title} differs by grant mode (${why}): ${difference}.`,
        ),
      );
    }
  });
  return snapshot;
}

function runChecks(project: Project, templates: readonly Template[]): Promise<Finding[]> {
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
      const what = detail === undefined ? "has no detail" : "says neither yes nor no";
      return [broken("checks_form", file, `${row} ${what}. ${fix}`)];
    }
    return ok ? [] : [broken("checks_red", file, ended(`"${check}" does not hold: ${detail}`))];
  });
}

async function checkUpgrade(
  bench: Bench,
  { title, from, to }: Upgrade,
  fresh: Snapshot | undefined,
): Promise<void> {
  const mode = modeOfUpgrades[bench.version];
  await inProject(bench, `${title}, upgraded`, mode, async (project, note) => {
    await project.run(from, bench.files);
    await project.run(to, bench.files);
    for (const found of await runChecks(project, to)) note(found);
    // Only where the fresh install failed as well, which has been told.
    if (!fresh) return;
    const difference = differences(fresh, await snapshotOf(project.client));
    if (difference) {
      const what = `The upgrade of ${title} differs from a fresh install`;
      note(broken("upgrade_differs", null, `${what}: ${difference}.`));
    }
  });
}

/** What a template made is gone after its uninstall.sql, and nothing else. */
async function checkUninstall(bench: Bench, template: Template): Promise<void> {
  const { catalog } = bench;
  const beneath = catalog.order([template.name]).filter(({ name }) => name !== template.name);
  const title = `${template.name}, uninstalled`;
  await inProject(bench, title, "2026-10", async (project, note) => {
    const { client } = project;
    if (beneath.length > 0) await project.run(beneath, bench.files);
    const before = await snapshotOf(client);
    await project.run([...beneath, template], bench.files);
    const file = path.posix.join(template.name, "uninstall.sql");
    try {
      await client.query(template.uninstall?.sql ?? "");
    } catch (error) {
      note(broken("uninstall_fails", file, ended((error as Error).message)));
      return;
    }
    const difference = differences(before, await snapshotOf(client));
    if (difference) {
      note(broken("uninstall_leaves", file, `It does not take away what was made: ${difference}.`));
    }
  });
}

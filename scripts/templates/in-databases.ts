import path from "node:path";
import type pg from "pg";
import type { Template } from "#app/domain/catalog/index.server.ts";
import type { PostgresVersion } from "#local/cluster.ts";
import { type Bench, broken, ended, inProject } from "./bench.ts";
import type { Finding } from "./findings.ts";
import {
  checkHostileAnswers,
  type Installed,
  keptAnswers,
  textAnswers,
} from "./hostile-answers.ts";
import { placesOf } from "./places.ts";
import { type Project, preset } from "./project.ts";
import { type GrantMode, grantModes } from "./project-server.ts";
import { editTexts } from "./repeated-seeds.ts";
import { runChecks } from "./run-checks.ts";
import { breachesOf } from "./schema-rules.ts";
import { largestOf, type Selection, selectionsOf, type Upgrade, upgradesOf } from "./selections.ts";
import { differences, rowsOf, type Snapshot, snapshotOf } from "./snapshot.ts";

/** The newer mode everywhere; what upgrades come from is as old as the server. */
const modeOfUpgrades: Record<PostgresVersion, GrantMode> = { 15: "legacy", 17: "2026-10" };

/** Where answers meant to break out are tried: SQL is put together alike in every version. */
const HOSTILE_ON: PostgresVersion = 17;

/** Applies everything to fresh databases of both modes, and each released version with its upgrade. */
export async function checkInDatabases(bench: Bench, names: readonly string[]): Promise<void> {
  const { catalog, version } = bench;
  const runs = (templates: readonly Template[]) =>
    templates.every(({ minimumPostgres }) => minimumPostgres <= version);
  const fresh = new Map<string, Installed>();
  const install = async (selection: Selection) => {
    if (fresh.has(selection.title)) return;
    for (const mode of grantModes) {
      const installed = await checkFresh(bench, selection, mode, fresh.get(selection.title));
      if (installed && !fresh.has(selection.title)) fresh.set(selection.title, installed);
    }
  };
  const selections = selectionsOf(catalog, names).filter(({ templates }) => runs(templates));
  for (const selection of selections) await install(selection);
  if (version === HOSTILE_ON) {
    for (const { title, templates } of largestOf(selections)) {
      const installed = fresh.get(title);
      if (installed) await checkHostileAnswers(bench, title, templates, installed);
    }
  }
  for (const upgrade of upgradesOf(catalog, names)) {
    if (!runs(upgrade.to)) continue;
    const title = upgrade.to.map(({ name }) => name).join(" + ");
    await install({ title, templates: upgrade.to });
    await checkUpgrade(bench, upgrade, fresh.get(title)?.snapshot);
  }
  for (const name of names) {
    const template = catalog.get(name);
    if (template.uninstall && runs(catalog.order([name]))) await checkUninstall(bench, template);
  }
}

/** The rules about schemas that these templates break, with the place where each object was made. */
export async function judgeSchema(
  client: pg.Client,
  templates: readonly Template[],
): Promise<Finding[]> {
  const placeOf = await placesOf(templates);
  return (await breachesOf(client)).map(({ rule, object, sentence }) => {
    const place = placeOf(object);
    if (place === null) return broken(rule, null, sentence);
    return { ...broken(rule, null, `${place.file}:${place.line}: ${sentence}`), ...place };
  });
}

async function checkFresh(
  bench: Bench,
  { title, templates }: Selection,
  mode: GrantMode,
  other: Installed | undefined,
): Promise<Installed | null> {
  let installed: Installed | null = null;
  await inProject(bench, title, mode, async (project, note) => {
    await project.run(templates, bench.files);
    const { client } = project;
    for (const found of await runChecks(project, templates)) note(found);
    for (const found of await judgeSchema(client, templates)) note(found);
    const snapshot = await snapshotOf(client);
    installed = { snapshot, kept: await keptAnswers(client, textAnswers(templates, preset)) };
    const difference = other && differences(other.snapshot, snapshot);
    if (difference) {
      const why = "the two kinds of project must end up the same";
      const message = `${title} differs by grant mode (${why}): ${difference}.`;
      note(broken("grant_modes_differ", null, message));
    }
    // Last, since it changes rows.
    for (const found of await judgeSeeds(project, templates)) note(found);
  });
  return installed;
}

/** What seeds do to rows when they run again, also after customers have changed their texts. */
async function judgeSeeds(project: Project, templates: readonly Template[]): Promise<Finding[]> {
  const { client } = project;
  const before = await rowsOf(client);
  const repeated = await project.repeatSeeds(templates);
  const after = await rowsOf(client);
  await editTexts(client);
  const changes = new Map<string, string[]>();
  for (const { file, tables } of [...repeated, ...(await project.repeatSeeds(templates))]) {
    if (!changes.has(file)) changes.set(file, tables);
  }
  const findings = [...changes].map(([file, tables]) => {
    const what = `When it ran again it changed or removed rows of ${tables.join(" and ")}`;
    const fix = "A customer may have changed them: insert what is missing, and no more.";
    return broken("seed_overwrites", file, `${what}. ${fix}`);
  });
  const touched = [...after.keys()].filter((table) => before.get(table) !== after.get(table));
  if (touched.length > 0) {
    const what = `The seeds changed ${touched.join(", ")} when they ran again`;
    const fix = "A seed is run again at upgrades: insert only what is missing, change nothing.";
    findings.push(broken("seed_repeats", null, `${what}. ${fix}`));
  }
  return findings;
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

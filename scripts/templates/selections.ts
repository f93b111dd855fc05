import semver from "semver";
import type { Catalog, Template } from "#app/domain/catalog/index.server.ts";

/** Templates that stand in one database together, in the order of a run. */
export interface Selection {
  title: string;
  templates: Template[];
}

const titleOf = (templates: readonly Template[]) => templates.map(({ name }) => name).join(" + ");

/**
 * Each alone with what it stands on, all pairs, all together; equal ones once, pairs in conflict left
 * out. Where not all can stand together, every largest set that can.
 */
export function selectionsOf(catalog: Catalog, names: readonly string[]): Selection[] {
  const all = catalog.templates.map(({ name }) => name);
  const wanted = [
    ...names.map((name) => [name]),
    ...names.flatMap((name) => all.map((other) => [name, other])),
    ...largestSets(catalog, all).filter((set) => names.some((name) => set.includes(name))),
  ];
  return unique(
    wanted
      .map((some) => catalog.order(some))
      .filter((templates) => !conflictIn(templates))
      .map((templates) => ({ title: titleOf(templates), templates })),
  );
}

/** The selections that no other one holds as a whole. */
export function largestOf(selections: readonly Selection[]): Selection[] {
  const holds = (larger: Selection, { templates }: Selection) =>
    larger.templates.length > templates.length &&
    templates.every((each) => larger.templates.includes(each));
  return selections.filter((each) => !selections.some((other) => holds(other, each)));
}

/** A project as it was when a version was released, and what its upgrade is to become. */
export interface Upgrade {
  title: string;
  /** The current templates that it ends with. */
  to: Template[];
  from: Template[];
}

/**
 * Every released version followed by the current one: alone with the oldest released versions that
 * it works with, and all templates together as they were first released.
 */
export function upgradesOf(catalog: Catalog, names: readonly string[]): Upgrade[] {
  const oldest = catalog.templates.flatMap(({ name }) => earlier(catalog, name).slice(0, 1));
  const upgrades = [
    ...names.flatMap((name) => earlier(catalog, name).map((release) => [release])),
    ...largestSets(
      catalog,
      oldest.map(({ name }) => name),
    ).map((set) => oldest.filter(({ name }) => set.includes(name))),
  ].flatMap((releases) => {
    if (releases.length === 0) return [];
    const from = closure(catalog, releases);
    const to = catalog.order(releases.map(({ name }) => name));
    if (!from || conflictIn(to) || conflictIn(from)) return [];
    const title = from.map(({ name, version }) => `${name} ${version}`).join(" + ");
    return [{ title, from, to }];
  });
  return unique(upgrades);
}

const earlier = (catalog: Catalog, name: string) =>
  catalog.history(name).releases.filter(({ version }) => version !== catalog.get(name).version);

/** Releases with those that they require, in the order of a run; null where one never existed. */
function closure(catalog: Catalog, releases: readonly Template[]): Template[] | null {
  const chosen = new Map(releases.map((release) => [release.name, release]));
  const queue = [...releases];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const { name, range } of next.requires) {
      if (chosen.has(name)) continue;
      const found = catalog
        .history(name)
        .releases.find(({ version }) => semver.satisfies(version, range));
      if (!found) return null;
      chosen.set(name, found);
      queue.push(found);
    }
  }
  return catalog.order([...chosen.keys()]).flatMap(({ name }) => chosen.get(name) ?? []);
}

/** The largest sets of these that can stand together with what they require. */
function largestSets(catalog: Catalog, names: readonly string[]): string[][] {
  const sets = setsWithin(catalog, names);
  const holds = (larger: string[], set: string[]) =>
    larger.length > set.length && set.every((name) => larger.includes(name));
  return sets.filter((set) => !sets.some((larger) => holds(larger, set)));
}

function setsWithin(catalog: Catalog, names: readonly string[]): string[][] {
  const clash = clashIn(catalog.order([...names]));
  if (!clash) return [[...names]];
  // Once without the one, once without the other, and without what stands on it.
  return clash.flatMap((without) =>
    setsWithin(
      catalog,
      names.filter((name) => catalog.order([name]).every((beneath) => beneath.name !== without)),
    ),
  );
}

/** Two that must not stand beside each other. */
function clashIn(templates: readonly Template[]): [string, string] | null {
  for (const { name: one, conflicts } of templates) {
    const clash = conflicts.find(({ name, range }) =>
      templates.some((each) => each.name === name && semver.satisfies(each.version, range)),
    );
    if (clash) return [one, clash.name];
  }
  return null;
}

const conflictIn = (templates: readonly Template[]) => clashIn(templates) !== null;

function unique<T extends { title: string }>(all: readonly T[]): T[] {
  return [...new Map(all.map((each) => [each.title, each])).values()];
}

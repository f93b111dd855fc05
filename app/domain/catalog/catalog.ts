import { readdir } from "node:fs/promises";
import path from "node:path";
import semver from "semver";
import {
  DependencyError,
  DuplicateVersionError,
  TemplatesFolderError,
  UnknownTemplateError,
} from "./errors.ts";
import { orderTemplates } from "./order.ts";
import { checkProjectSettings } from "./project-settings.ts";
import { type ReadTemplate, readTemplate, type Template, type TemplateHistory } from "./read.ts";
import { readLock, requireFolders } from "./releases.ts";
import { baseTemplate, planNames } from "./schema.ts";

/** All templates there are, checked against each other. */
export interface Catalog {
  /** In order of name. */
  templates: Template[];
  /** @throws UnknownTemplateError. */
  get(name: string): Template;
  /** @throws UnknownTemplateError. */
  history(name: string): TemplateHistory;
  /**
   * The named templates with all they require, each after what it requires or makes use of, `base`
   * first.
   *
   * @throws UnknownTemplateError.
   */
  order(names: string[]): Template[];
}

const loaded = new Map<string, Promise<Catalog>>();

/**
 * The catalog of a folder of templates: read, parsed by PostgreSQL's grammar, validated and hashed
 * once per process. A failure is not kept, so that a mended folder can be read again.
 *
 * @throws TemplatesFolderError, and whatever is wrong with a template: ManifestInvalidError,
 * TemplateFileInvalidError, DuplicateVersionError, DependencyError, TemplateCycleError,
 * SqlSyntaxError, ForbiddenStatementError.
 */
export function loadCatalog(folder: string): Promise<Catalog> {
  const key = path.resolve(folder);
  let catalog = loaded.get(key);
  if (!catalog) {
    catalog = readCatalog(key);
    loaded.set(key, catalog);
    catalog.catch(() => loaded.delete(key));
  }
  return catalog;
}

async function readCatalog(folder: string): Promise<Catalog> {
  const lock = await readLock(folder);
  const read: (ReadTemplate & TemplateHistory)[] = [];
  const names = await templateFolders(folder);
  requireFolders(lock, names);
  for (const name of names) {
    read.push(await readTemplate(folder, name, lock));
  }
  const templates = read.map(({ template }) => template);
  const byName = new Map(templates.map((template) => [template.name, template]));
  if (!byName.has(baseTemplate)) throw new TemplatesFolderError(folder, "there is no base");

  refuseDuplicateVersions(templates);
  for (const each of read) checkRequirements(each, byName);
  // Ordering everything finds circles.
  orderTemplates(templates, [...byName.keys()]);
  for (const each of read) checkConflicts(each, byName, templates);
  for (const each of read) checkPlans(each, byName);
  for (const each of read) checkProjectSettings(each, templates);

  const find = <T>(found: T | undefined, name: string): T => {
    if (!found) throw new UnknownTemplateError(name, [...byName.keys()]);
    return found;
  };
  return {
    templates,
    get: (name) => find(byName.get(name), name),
    history(name) {
      const { releases, isReleased } = find(
        read.find(({ template }) => template.name === name),
        name,
      );
      return { releases, isReleased };
    },
    order: (names) => orderTemplates(templates, names),
  };
}

async function templateFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map((entry) => entry.name)
      .sort();
  } catch (cause) {
    throw new TemplatesFolderError(folder, "it cannot be read", cause);
  }
}

function refuseDuplicateVersions(templates: Template[]): void {
  const seen = new Map<string, string>();
  for (const { version, path: file } of templates.flatMap((t) => t.migrations)) {
    const first = seen.get(version);
    if (first) throw new DuplicateVersionError(version, first, file);
    seen.set(version, file);
  }
}

function checkRequirements(each: ReadTemplate, byName: Map<string, Template>): void {
  const { template, manifestFile: file, lineOf } = each;
  const names = template.requires.map((required) => required.name);
  if (template.name !== baseTemplate && !names.includes(baseTemplate)) {
    throw new DependencyError(
      { file, line: lineOf(["requires"]) },
      {
        problem: `${template.name} does not require ${baseTemplate}`,
        needed: `a requirement of ${baseTemplate}, on which every template stands`,
        fix: `Add ${baseTemplate} with a range of versions to requires.`,
      },
    );
  }
  for (const list of ["requires", "optional"] as const) {
    for (const index of template[list].keys()) checkRequirement(each, list, index, byName);
  }
}

function checkRequirement(
  { template, manifestFile: file, lineOf }: ReadTemplate,
  list: "requires" | "optional",
  index: number,
  byName: Map<string, Template>,
): void {
  const { name, range } = template[list][index] as { name: string; range: string };
  const place = { file, line: lineOf([list, index]) };
  const named = [...template.requires, ...template.optional].map((one) => one.name);
  const before = named.slice(0, index + (list === "optional" ? template.requires.length : 0));
  if (before.includes(name)) {
    throw new DependencyError(place, {
      problem: `${name} is named twice`,
      fix: "Keep one of the two.",
    });
  }
  const other = byName.get(name);
  if (!other) {
    throw new DependencyError(place, {
      problem: `the ${list === "requires" ? "required" : "optional"} template ${name} is missing`,
      found: name,
      needed: `one of ${[...byName.keys()].join(", ")}`,
      fix: "Correct the name, or add that template.",
    });
  }
  if (!semver.satisfies(other.version, range)) {
    throw new DependencyError(place, {
      problem: `${name} ${other.version} is outside the range ${range}`,
      found: other.version,
      needed: range,
      fix: "Widen the range if the template works with that version.",
    });
  }
  if (list === "requires" && template.minimumPostgres < other.minimumPostgres) {
    throw new DependencyError(
      { file, line: lineOf(["postgres"]) },
      {
        problem: `${name} needs PostgreSQL ${other.minimumPostgres}`,
        found: `${template.minimumPostgres}`,
        needed: `at least ${other.minimumPostgres}`,
        fix: `Write postgres: ${other.minimumPostgres}.`,
      },
    );
  }
}

/** What a template stands on or makes use of cannot be what it must not stand beside. */
function checkConflicts(
  { template, manifestFile: file, lineOf }: ReadTemplate,
  byName: Map<string, Template>,
  templates: Template[],
): void {
  const beneath = orderTemplates(templates, [
    template.name,
    ...template.optional.map(({ name }) => name),
  ]).map(({ name }) => name);
  for (const [index, { name, range }] of template.conflicts.entries()) {
    const place = { file, line: lineOf(["conflicts", index]) };
    const other = byName.get(name);
    if (!other) {
      throw new DependencyError(place, {
        problem: `the conflicting template ${name} is missing`,
        found: name,
        needed: `one of ${[...byName.keys()].join(", ")}`,
        fix: "Correct the name, or remove the conflict.",
      });
    }
    if (beneath.includes(name) && semver.satisfies(other.version, range)) {
      throw new DependencyError(place, {
        problem: `${template.name} conflicts with ${name}, which it stands on or makes use of`,
        found: name,
        fix: "Remove the conflict, or the requirement that leads to it.",
      });
    }
  }
}

/** A plan that includes a template includes what that template stands on. */
function checkPlans(each: ReadTemplate, byName: Map<string, Template>): void {
  const { template, manifestFile: file, lineOf } = each;
  const place = { file, line: lineOf(["plans"]) };
  if (template.name === baseTemplate) {
    const missing = planNames.filter((plan) => !template.plans.includes(plan));
    if (missing.length === 0) return;
    throw new DependencyError(place, {
      problem: `${baseTemplate} is not in every plan`,
      needed: planNames.join(", "),
      fix: `Add ${missing.join(", ")}.`,
    });
  }
  for (const { name } of template.requires) {
    const offered = byName.get(name)?.plans ?? [];
    const missing = template.plans.filter((plan) => !offered.includes(plan));
    if (missing.length === 0) continue;
    throw new DependencyError(place, {
      problem: `${missing.join(", ")} includes ${template.name} but not the required ${name}`,
      needed: `${name} in every plan that includes ${template.name}`,
      fix: `Add ${missing.join(", ")} to the plans of ${name}, or remove it here.`,
    });
  }
}

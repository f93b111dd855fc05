import { and, eq, ne, sql } from "drizzle-orm";
import { BerthError } from "#app/platform/errors.ts";
import { featureTemplates } from "#db/catalog.ts";
import type { Actor, Tx } from "#db/index.ts";
import { recordAudit } from "../audit/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import type { Catalog } from "./catalog.ts";
import { type Question, questionsOf } from "./parameters-told.ts";
import { PLANS } from "./plans.ts";
import { baseTemplate } from "./schema.ts";

/** Every other template stands on it. */
export class BaseNotSwitchableError extends BerthError {
  constructor() {
    super("base_not_switchable", "The base is part of every backend and cannot be switched off.");
  }
}

/** A template, as the desk shows it. */
export interface TemplateItem {
  name: string;
  title: string;
  description: string;
  category: string;
  /** The newest version, which new backends get. */
  version: string;
  /** The newest first; of one that is not released, files may still change. */
  versions: { version: string; isReleased: boolean }[];
  active: boolean;
  isBase: boolean;
  requires: { name: string; title: string; range: string; active: boolean }[];
  /** What it makes use of where that is there. */
  optional: { name: string; title: string; range: string }[];
  /** What it cannot stand beside, whichever of the two says so. */
  conflicts: { name: string; title: string; reason: string }[];
  /** What is asked of the customer. */
  parameters: Question[];
  buckets: { name: string; isPublic: boolean; largestFile: number | null; types: string[] }[];
  /** Titles of the templates that need this one, directly or through others. */
  neededBy: string[];
  plans: string[];
  /** In the order of a run; `when`: the title of the template with which alone it is applied. */
  files: { path: string; phase: string; when: string | null }[];
  statements: number;
  /** Backends in use that have it. */
  installed: number;
}

/** All templates of this release, the base first, each after what it needs. */
export async function listTemplates(tx: Tx, catalog: Catalog): Promise<TemplateItem[]> {
  const off = await inactiveNames(tx);
  const { rows } = await tx.execute<{ name: string; count: number }>(sql`
    select name, count(*)::int as count
    from customer_backends, jsonb_object_keys(installed) as name
    where status = 'ready' group by name`);
  const installed = new Map(rows.map(({ name, count }) => [name, count]));
  const names = catalog.templates.map((template) => template.name);
  const titleOf = (name: string) => catalog.get(name).title;
  return catalog.order(names).map((template) => {
    const { name, title, description, category, version } = template;
    const { migrations, seed, checks } = template;
    const files = [...migrations, ...(seed ? [seed] : []), ...(checks ? [checks] : [])];
    const needers = catalog.templates.filter(
      (other) => other.name !== name && catalog.order([other.name]).some((t) => t.name === name),
    );
    return {
      name,
      title,
      description,
      category,
      version,
      versions: versionsOf(catalog, name),
      active: !off.has(name),
      isBase: name === baseTemplate,
      requires: template.requires.map((required) => ({
        ...required,
        title: titleOf(required.name),
        active: !off.has(required.name),
      })),
      optional: template.optional.map((one) => ({ ...one, title: titleOf(one.name) })),
      conflicts: catalog.templates.flatMap((other) => {
        const said = [
          ...template.conflicts.filter((one) => one.name === other.name),
          ...other.conflicts.filter((one) => one.name === name),
        ];
        const { name: otherName, title: otherTitle } = other;
        return said.map(({ reason }) => ({ name: otherName, title: otherTitle, reason }));
      }),
      parameters: questionsOf(template.parameters),
      buckets: template.storage.map((bucket) => ({
        name: bucket.bucket,
        isPublic: bucket.public,
        largestFile: bucket.file_size_limit ?? null,
        types: bucket.allowed_mime_types ?? [],
      })),
      neededBy: needers.map((other) => other.title),
      plans: PLANS.filter(({ id }) => template.plans.includes(id)).map((plan) => plan.name),
      files: files.map(({ path, phase, when }) => ({
        path,
        phase,
        when: when === null ? null : titleOf(when),
      })),
      statements: files.reduce((sum, file) => sum + file.statements.length, 0),
      installed: installed.get(name) ?? 0,
    };
  });
}

/** All versions of a template, the newest first. */
function versionsOf(catalog: Catalog, name: string): { version: string; isReleased: boolean }[] {
  const { releases, isReleased } = catalog.history(name);
  const released = releases.map(({ version }) => ({ version, isReleased: true }));
  const current = { version: catalog.get(name).version, isReleased: false };
  return [...released, ...(isReleased ? [] : [current])].reverse();
}

/**
 * Offers a template to new customers, or no longer. Requests that were taken in keep it, and so do
 * backends that have it.
 * @throws NotStaffError, RoleMissingError, UnknownTemplateError, BaseNotSwitchableError
 */
export async function switchTemplate(
  { tx, actor }: { tx: Tx; actor: Actor },
  catalog: Catalog,
  name: string,
  active: boolean,
): Promise<void> {
  await requireStaff(tx, actor.id, ["supervisor"]);
  catalog.get(name);
  if (name === baseTemplate && !active) throw new BaseNotSwitchableError();
  const changed = await tx
    .update(featureTemplates)
    .set({ active })
    .where(and(eq(featureTemplates.name, name), ne(featureTemplates.active, active)))
    .returning({ version: featureTemplates.version });
  if (changed.length > 0) {
    await recordAudit(tx, actor, {
      action: "template.switch",
      subjectKind: "template",
      subjectId: name,
      data: { active },
    });
  }
}

/** Templates whose newest version a supervisor has switched off. */
export async function inactiveNames(tx: Tx): Promise<Set<string>> {
  const { rows } = await tx.execute<{ name: string }>(sql`
    select name from (
      select distinct on (name) name, active from feature_templates order by name, released_at desc, version desc
    ) newest where not active`);
  return new Set(rows.map((row) => row.name));
}

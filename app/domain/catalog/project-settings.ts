import { DependencyError } from "./errors.ts";
import type { LocatedManifest } from "./manifest.ts";
import type { Template } from "./read.ts";
import type { AuthSettings, Bucket } from "./schema.ts";

type Asking = Pick<Template, "name" | "storage" | "auth">;

/** The buckets that these templates ask for, each once and with the template that names it first. */
export function bucketsOf(templates: readonly Asking[]): { bucket: Bucket; template: string }[] {
  const found = new Map<string, { bucket: Bucket; template: string }>();
  for (const { name: template, storage } of templates) {
    for (const bucket of storage) {
      if (!found.has(bucket.bucket)) found.set(bucket.bucket, { bucket, template });
    }
  }
  return [...found.values()];
}

/** What these templates together need of Auth. */
export function authSettingsOf(templates: readonly Asking[]): AuthSettings {
  return Object.assign({}, ...templates.map(({ auth }) => auth));
}

/** The same for two buckets that are the same. */
const formOf = ({ public: isPublic, file_size_limit, allowed_mime_types }: Bucket) =>
  JSON.stringify([isPublic, file_size_limit ?? null, allowed_mime_types?.toSorted() ?? null]);

/**
 * A project has one bucket of a name, and one Auth: what a template asks of them must not contradict
 * the others. @throws DependencyError
 */
export function checkProjectSettings(
  {
    template,
    manifestFile: file,
    lineOf,
  }: {
    template: Asking;
    manifestFile: string;
    lineOf: LocatedManifest["lineOf"];
  },
  templates: readonly Asking[],
): void {
  const others = templates.filter(({ name }) => name !== template.name);
  for (const [index, bucket] of template.storage.entries()) {
    const place = { file, line: lineOf(["storage", index]) };
    const name = bucket.bucket;
    if (template.storage.findIndex((one) => one.bucket === name) < index) {
      throw new DependencyError(place, {
        problem: `the bucket ${name} is named twice`,
        fix: "Keep one of the two.",
      });
    }
    const other = others.find(({ storage }) =>
      storage.some((one) => one.bucket === name && formOf(one) !== formOf(bucket)),
    );
    if (!other) continue;
    throw new DependencyError(place, {
      problem: `${other.name} has the bucket ${name} too, with other settings`,
      found: name,
      needed: "one bucket of a name in a project",
      fix: "Give both the same settings, or the bucket another name.",
    });
  }
  for (const [setting, value] of Object.entries(template.auth)) {
    const other = others.find(({ auth }) => {
      const theirs = auth[setting as keyof AuthSettings];
      return theirs !== undefined && theirs !== value;
    });
    if (!other) continue;
    throw new DependencyError(
      { file, line: lineOf(["auth", setting]) },
      {
        problem: `${other.name} needs ${setting} to be ${!value}`,
        found: String(value),
        needed: "one value for all templates: a project has one Auth",
        fix: "Agree on a value, or leave the setting to one of the two.",
      },
    );
  }
}

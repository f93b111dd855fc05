/** Folders of small templates, for the tests of this module. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { loadCatalog } from "./index.server.ts";

export type Files = Record<string, string | Buffer>;

/** A sound manifest with some lines changed, or left out (null). */
export function manifest(name: string, changes: Record<string, string | null> = {}): string {
  const lines: Record<string, string | null> = {
    name,
    title: `The ${name} template`,
    description: "For tests.",
    category: "operations",
    version: "1.0.0",
    plans: "[starter, growth, business, enterprise]",
    requires: name === "base" ? "[]" : "[{ name: base, range: ^1.0.0 }]",
    ...changes,
  };
  return Object.entries(lines)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("");
}

/** The least that a catalogue needs. */
export const base: Record<string, string> = {
  "base/template.yaml": manifest("base"),
  "base/migrations/20260101000100_start.sql": "create table public.a (id int primary key);\n",
};

let templatesMade = 0;

/** A template beside base, with files given by their path below its folder. */
export function beside(name: string, files: Record<string, string> = {}): Record<string, string> {
  templatesMade += 1;
  const all = {
    "template.yaml": manifest(name),
    [`migrations/${20260201000000 + templatesMade}_${name}.sql`]: "select 1;\n",
    ...files,
  };
  return Object.fromEntries(Object.entries(all).map(([file, text]) => [`${name}/${file}`, text]));
}

const made: string[] = [];

/** Writes files into a new folder; answers its path. */
export async function folderOf(files: Files): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "berth-catalog-"));
  made.push(folder);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), content);
  }
  return folder;
}

/** Removes every folder made so far. */
export async function removeFolders(): Promise<void> {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
}

export const load = async (files: Files) => loadCatalog(await folderOf(files));

/** What loading fails with; throws when it does not. */
export async function failure(files: Files): Promise<Error & Record<string, unknown>> {
  return load(files).then(
    () => {
      throw new Error("the catalogue was accepted");
    },
    (error) => error,
  );
}

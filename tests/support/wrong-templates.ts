/** A small catalogue of templates, most of whose features cannot be built. */
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";

interface Feature {
  /** The lowest major version of PostgreSQL. */
  postgres?: number;
  /** Its files in order; each begins with the directives that it needs. */
  files: string[];
}

const raise = (sqlstate: string, message: string) =>
  `do $$ begin raise exception using errcode = '${sqlstate}', message = '${message}'; end $$;\n`;

/** By name. What a server on this machine cannot be brought to do at will, a statement raises. */
const FEATURES: Readonly<Record<string, Feature>> = {
  sound: { files: ["create table public.sound (id int primary key);\n"] },
  future: { postgres: 99, files: ["select 1;\n"] },
  "role-escape": {
    files: ["do $$ begin execute 'set ' || 'local ro' || 'le anon'; end $$;\n"],
  },
  "no-privilege": {
    files: ["do $$ begin execute 'create table au' || 'th.mine (id int)'; end $$;\n"],
  },
  "disk-full": {
    files: [
      `create table public.a (id int);\n${raise("53100", "could not extend file: No space left on device")}`,
    ],
  },
  "out-of-memory": { files: [raise("53200", "out of memory")] },
  deadlock: { files: [raise("40P01", "deadlock detected")] },
  locked: {
    files: [
      "create table public.boxes (id int);\n",
      "select 1;\nalter table public.boxes add column locked int;\n",
    ],
  },
  slow: { files: ["-- berth: timeout=1s\nselect 1;\n\nselect pg_sleep(600);\n"] },
  duplicates: {
    files: [
      `create table public.people (email text);
insert into public.people values ('ann@canary.example'), ('ann@canary.example');
create unique index people_email on public.people (email);
`,
    ],
  },
  "no-value": {
    files: [
      `create table public.people (email text, name text);
insert into public.people values ('ann@canary.example', null);
alter table public.people alter column name set not null;
`,
    ],
  },
  unchecked: {
    files: [
      `create table public.people (email text);
insert into public.people values ('ann@canary.example');
alter table public.people add constraint people_email check (email like '%@berth.example');
`,
    ],
  },
  "exists-already": {
    files: ["create table public.boxes (id int);\n", "create table public.boxes (id int);\n"],
  },
  missing: { files: ["alter table public.nowhere add column n int;\n"] },
  extension: { files: ["create extension pgtap;\n"] },
  "duplicate-index": {
    files: [
      "create table public.people (email text);\ninsert into public.people values ('ann@canary.example'), ('ann@canary.example');\n",
      "-- berth: transaction=none\ncreate unique index concurrently people_email on public.people (email);\n",
    ],
  },
  "waiting-index": {
    files: [
      "create table public.boxes (id int);\n",
      "-- berth: transaction=none timeout=4s\ncreate index concurrently boxes_id on public.boxes (id);\n",
    ],
  },
  terminated: { files: ["select pg_sleep(600);\n"] },
};

const REAL = path.join(import.meta.dirname, "../../feature-templates");

/** The version of the base's second file. */
export const SECOND_VERSION = "20260901000200";

/** Writes the templates' folder: these features beside the real ones, as if none were released. */
export async function writeTemplates(folder: string): Promise<void> {
  for (const entry of await readdir(REAL, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    await cp(path.join(REAL, entry.name), path.join(folder, entry.name), {
      recursive: true,
      filter: (source) => path.basename(source) !== "releases",
    });
  }
  const names = Object.keys(FEATURES);
  for (const [index, name] of names.entries()) {
    const feature = FEATURES[name] as Feature;
    await writeTemplate(folder, name, feature, 20261001000000 + index * 10_000);
  }
}

async function writeTemplate(
  folder: string,
  name: string,
  { postgres = 15, files }: Feature,
  firstVersion: number,
): Promise<void> {
  const migrations = path.join(folder, name, "migrations");
  await mkdir(migrations, { recursive: true });
  const manifest = {
    name,
    title: `The feature ${name}`,
    description: "For tests.",
    category: "operations",
    version: "1.0.0",
    plans: ["starter", "growth", "business", "enterprise"],
    requires: [{ name: "base", range: "^1.0.0" }],
    postgres,
  };
  // JSON is YAML, too.
  await writeFile(path.join(folder, name, "template.yaml"), JSON.stringify(manifest));
  for (const [index, sql] of files.entries()) {
    const version = firstVersion + (index + 1) * 100;
    await writeFile(path.join(migrations, `${version}_part_${index + 1}.sql`), sql);
  }
}

import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Catalog, loadCatalog } from "#app/domain/catalog/index.server.ts";
import { BerthError } from "#app/platform/errors.ts";

/** A template of this name cannot be made. */
export class NameNotFreeError extends BerthError {
  constructor(name: string, found: string, fix: string) {
    super("template_name", `No template "${name}" can be made: ${found}. ${fix}`, { found, fix });
  }
}

/**
 * Writes a template that passes the check, to be changed into what is needed. Answers its files, by
 * their paths below the folder.
 *
 * @throws NameNotFreeError, and what `loadCatalog` throws.
 */
export async function newTemplate(folder: string, name: string, now: Date): Promise<string[]> {
  // The prefix of its objects and settings is made from it, so that no two names may share one.
  if (!/^(?=.{2,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    const found =
      "a name is 2 to 40 small letters, digits and single hyphens, beginning with a letter and not ending with a hyphen";
    throw new NameNotFreeError(name, found, "Choose a name like loyalty or gift-cards.");
  }
  if (RESERVED.test(name)) {
    const found = "it is a word of SQL, or belongs to PostgreSQL, Supabase or Berth";
    throw new NameNotFreeError(name, found, "Choose a name like loyalty or gift-cards.");
  }
  const there: string[] = await readdir(folder).catch(() => []);
  if (there.includes(name)) {
    throw new NameNotFreeError(name, `the folder ${name} is there already`, "Choose another name.");
  }
  const catalog = await loadCatalog(folder);
  const [first, second] = freeVersions(catalog, now);
  // The prefix keeps its objects apart from those of other templates.
  const prefix = name.replaceAll("-", "_");
  const files: Record<string, string> = {
    "template.yaml": manifest(name, prefix, versionOfBase(catalog)),
    [`migrations/${first}_${prefix}.sql`]: schema(prefix),
    [`migrations/${second}_${prefix}_policies.sql`]: policies(prefix),
    "seed.sql": seed(prefix),
    "checks.sql": checks(name, prefix),
  };
  await mkdir(path.join(folder, name, "migrations"), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await writeFile(path.join(folder, name, file), text, { flag: "wx" });
  }
  return Object.keys(files).map((file) => `${name}/${file}`);
}

/** Names whose objects or settings would be taken for somebody else's. */
const RESERVED =
  /^(berth|pg(-.*)?|postgres|supabase|public|private|auth|storage|realtime|vault|extensions|graphql|cron|net|user|users|table|select|insert|update|delete|from|where|order|group|grant|role|schema|database|index|view|function|trigger|default|all|any|and|or|not|null|true|false|check|primary|references|column|constraint|create|end|in|to|with|case|limit|union|using|when|releases|migrations)$/;

/** What is not released yet may still change, and nothing that stands on it can be released. */
function versionOfBase(catalog: Catalog): string {
  const { releases } = catalog.history("base");
  return (releases.at(-1) ?? catalog.get("base")).version;
}

/** Two versions after every other one: the time now, or later where that is taken. */
function freeVersions(catalog: Catalog, now: Date): [string, string] {
  const stamp = Number(now.toISOString().replace(/\D/g, "").slice(0, 14));
  const taken = catalog.templates.flatMap(({ migrations }) =>
    migrations.map(({ version }) => Number(version)),
  );
  const first = Math.max(stamp, ...taken.map((version) => version + 1));
  return [`${first}`, `${first + 1}`];
}

function manifest(name: string, prefix: string, baseVersion: string): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
  return `name: ${name}
title: ${title}
description: >-
  Say in a sentence or two what customers can do with it.
category: operations
version: 1.0.0
requires:
  - name: base
    range: ^${baseVersion}
plans: [business, enterprise]
postgres: 15
# Asked of the customer; seed.sql reads it as berth.${prefix}.first_entry.
parameters:
  - name: first_entry
    type: text
    title: Title of the first entry
    default: Welcome
    max: 200
`;
}

const schema = (prefix: string) => `-- Entries per location.

create table public.${prefix}_entries (
  id uuid primary key default gen_random_uuid(),
  location_id uuid not null references public.locations (id),
  title text not null,
  note text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint ${prefix}_entries_title_length check (length(btrim(title)) between 1 and 200),
  constraint ${prefix}_entries_note_length check (length(note) <= 2000)
);

alter table public.${prefix}_entries enable row level security;
revoke all on table public.${prefix}_entries from public, anon, authenticated, service_role;

comment on table public.${prefix}_entries is 'Say what one row stands for.';
comment on column public.${prefix}_entries.note is 'Free text for the people of the company.';

create index ${prefix}_entries_location_idx on public.${prefix}_entries (location_id);

create trigger ${prefix}_entries_set_updated_at before update on public.${prefix}_entries
  for each row execute function private.set_updated_at();
`;

const policies = (prefix: string) => `-- berth: phase=policies
-- Who may do what: viewers read, staff write, managers remove.

grant select, delete on table public.${prefix}_entries to authenticated, service_role;
grant insert (location_id, title, note) on table public.${prefix}_entries
  to authenticated, service_role;
grant update (location_id, title, note) on table public.${prefix}_entries
  to authenticated, service_role;

create policy ${prefix}_entries_select on public.${prefix}_entries
  for select to authenticated
  using ((select private.has_role('viewer')));

create policy ${prefix}_entries_insert on public.${prefix}_entries
  for insert to authenticated
  with check ((select private.has_role('staff')));

create policy ${prefix}_entries_update on public.${prefix}_entries
  for update to authenticated
  using ((select private.has_role('staff')))
  with check ((select private.has_role('staff')));

create policy ${prefix}_entries_delete on public.${prefix}_entries
  for delete to authenticated
  using ((select private.has_role('manager')));
`;

const seed = (prefix: string) => `-- A first entry, unless there is one already. Safe to run again.
insert into public.${prefix}_entries (location_id, title)
select
  l.id,
  coalesce(nullif(btrim(current_setting('berth.${prefix}.first_entry', true)), ''), 'Welcome')
from public.locations l
where not exists (select from public.${prefix}_entries)
order by l.created_at, l.id
limit 1;
`;

const checks = (name: string, prefix: string) => `-- One row per assertion.
with
  entries as (
    select c.oid, c.relrowsecurity as secured
    from pg_catalog.pg_class c
    where c.oid = to_regclass('public.${prefix}_entries')
  )
select
  '${name}: the table has row-level security' as check_name,
  coalesce(bool_and(e.secured), false) as ok,
  count(*) || ' found' as detail
from entries e
union all
select
  '${name}: anon has no privilege on the table',
  coalesce(bool_and(not has_any_column_privilege('anon', e.oid, 'SELECT, INSERT, UPDATE')), false),
  count(*) || ' found'
from entries e
union all
select
  '${name}: members can read the table through its policies',
  count(*) = 1,
  count(*) || ' found'
from pg_catalog.pg_policy p
join entries e on e.oid = p.polrelid
where p.polcmd = 'r' and has_table_privilege('authenticated', e.oid, 'SELECT');
`;

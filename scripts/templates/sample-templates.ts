/** A sound base and a sound template beside it, in few lines, for the tests of the check. */
import { describe, expect, it } from "vitest";
import { sha256 } from "#app/domain/catalog/template-file.ts";
import { folderOf, manifest, removeFolders } from "#app/domain/catalog/template-folders.ts";
import type { PostgresVersion } from "#local/cluster.ts";
import { checkTemplates } from "./check.ts";
import { type Finding, SeenFindings } from "./findings.ts";
import { checkInDatabases } from "./in-databases.ts";
import { loadAll } from "./load.ts";
import type { ProjectServer } from "./project-server.ts";
import { Timings } from "./timings.ts";

/** What every table and function of a template keeps to. */
export const closed = (name: string) => `
alter table ${name} enable row level security;
revoke all on table ${name} from public, anon, authenticated, service_role;
comment on table ${name} is 'For tests.';
`;

const checks = (name: string) =>
  `select '${name}: there' as check_name, true as ok, 'yes' as detail;\n`;

/** The least that other templates can stand on. */
export const soundBase: Record<string, string> = {
  "base/template.yaml": manifest("base"),
  "base/migrations/20260101000100_start.sql": `
create schema private;
create table public.places (id int primary key, name text);
${closed("public.places")}
create function private.may() returns boolean language sql stable set search_path = ''
as $$ select true $$;
revoke all on function private.may() from public, anon, authenticated, service_role;
`,
  "base/migrations/20260101000200_policies.sql": `-- berth: phase=policies
grant usage on schema private to authenticated;
grant execute on function private.may() to authenticated;
grant select on table public.places to authenticated;
create policy places_select on public.places for select to authenticated
  using ((select private.may()));
`,
  "base/checks.sql": checks("base"),
};

export const shopMigration = "shop/migrations/20260201000100_goods.sql";
export const shopPolicies = "shop/migrations/20260201000200_goods_policies.sql";

/** A template named shop that passes the check. */
export const soundShop: Record<string, string> = {
  "shop/template.yaml": manifest("shop"),
  [shopMigration]: `
create table public.goods (id int primary key, name text not null);
${closed("public.goods")}`,
  [shopPolicies]: `-- berth: phase=policies
grant select on table public.goods to authenticated;
create policy goods_select on public.goods for select to authenticated
  using ((select private.may()));
`,
  "shop/seed.sql": "insert into public.goods values (1, 'First') on conflict (id) do nothing;\n",
  "shop/checks.sql": checks("shop"),
};

/** The manifest of shop with a question. */
export const asking = (parameter: string) => manifest("shop", { parameters: `[${parameter}]` });

/** What these files hold of the templates counts as released with a version; the next one is 1.1.0. */
export function releasedAs(
  version: string,
  files: Record<string, string>,
  ...templates: string[]
): Record<string, string> {
  const lock: Record<string, Record<string, Record<string, string>>> = {};
  const all = { ...files };
  for (const template of templates) {
    const own = Object.entries(files).filter(([file]) => file.startsWith(`${template}/`));
    const sums = own.map(([file, text]) => [file.slice(template.length + 1), sha256(text)]);
    lock[template] = { [version]: Object.fromEntries(sums) };
    for (const [file, text] of own) {
      if (!file.includes("/migrations/")) {
        all[file.replace("/", `/releases/${version}/`)] = text;
      }
    }
    const file = `${template}/template.yaml`;
    all[file] = (files[file] as string).replace(`version: ${version}`, "version: 1.1.0");
  }
  return { ...all, "released.lock.json": JSON.stringify(lock) };
}

/** A parameter of shop, and how a seed reads it. */
export const question = "{ name: slogan, type: text, title: Slogan, default: Hello }";
export const readsIt = "current_setting('berth.shop.slogan', true)";

export const more = "shop/migrations/20260201000300_more.sql";

/** A template named till that passes the check beside shop. */
export const till = (changes: Record<string, string>, files: Record<string, string> = {}) => ({
  "till/template.yaml": manifest("till", changes),
  "till/migrations/20260301000100_till.sql": `create table public.drawers (id int primary key);${closed("public.drawers")}`,
  "till/migrations/20260301000200_policies.sql":
    "-- berth: phase=policies\ngrant select on table public.drawers to authenticated;\n",
  "till/checks.sql": "select 'x' as check_name, true as ok, '' as detail;",
  ...files,
});

/** A broken template: its files beside the sound ones, the place and the sentence that tell it. */
export type Broken = [title: string, files: Record<string, string>, place: string, RegExp];

const textOf = ({ message }: Finding) => message;

/** What the texts of these files alone break, as sentences. */
export async function told(files: Record<string, string>): Promise<string[]> {
  const folder = await folderOf(files);
  const { findings } = await checkTemplates(folder, [], { versions: [] }).finally(removeFolders);
  return findings.map(textOf);
}

/** What databases of one server show of shop with these files; and the time of each file. */
export async function toldByDatabases(
  server: ProjectServer,
  version: PostgresVersion,
  texts: Record<string, string>,
): Promise<{ findings: Finding[]; files: Timings }> {
  const { catalog, findings } = await loadAll(await folderOf(texts)).finally(removeFolders);
  if (!catalog || findings.length > 0) throw new Error(findings.map(textOf).join("\n"));
  const bench = {
    version,
    server,
    catalog,
    findings: new SeenFindings(),
    files: new Timings(),
    databases: new Timings(),
  };
  await checkInDatabases(bench, ["shop"]);
  return { findings: bench.findings.all(), files: bench.files };
}

/** A test for each of them: that the place and the sentence are told, once. */
export function tellEach(title: string, cases: readonly Broken[]): void {
  describe(title, () => {
    it.each(cases)("%s", async (_, files, place, sentence) => {
      const sentences = await told({ ...soundBase, ...soundShop, ...files });
      const found = sentences.filter((each) => each.startsWith(place) && sentence.test(each));
      expect(found, sentences.join("\n")).toHaveLength(1);
    });
  });
}

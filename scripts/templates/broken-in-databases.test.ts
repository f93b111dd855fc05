/** One broken template for each rule that only a database can tell. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifest } from "#app/domain/catalog/template-folders.ts";
import type { Finding } from "./findings.ts";
import { type ProjectServer, startProjectServer } from "./project-server.ts";
import {
  closed,
  more,
  releasedAs,
  shopMigration,
  soundBase,
  soundShop,
  toldByDatabases,
} from "./sample-templates.ts";

let server: ProjectServer;
beforeAll(async () => {
  // What the newer version has and the older lacks shows here.
  server = await startProjectServer(15);
});
afterAll(() => server?.stop());

async function check(texts: Record<string, string>): Promise<Finding[]> {
  const { findings, files } = await toldByDatabases(server, 15, texts);
  expect(files.slowest().map(({ step }) => step)).toContain(shopMigration);
  return findings;
}

const row = (ok: string, name = "'x'") =>
  `select ${name}::text as check_name, ${ok} as ok, 'seen'::text as detail;`;

describe("a broken template is told by the database that it was tried in", () => {
  const cases: [string, Record<string, string>, string, RegExp][] = [
    [
      "a file that fails",
      { [more]: "select 1;\nselect name from public.nothing;" },
      "sql_step_failed",
      /20260201000300_more\.sql:2.*does not exist/,
    ],
    [
      "what PostgreSQL 15 lacks",
      { [more]: "do $$ begin perform any_value(1); end $$;" },
      "sql_step_failed",
      /any_value/,
    ],
    [
      "a seed that gives a row back its text",
      {
        "shop/seed.sql":
          "insert into public.goods values (1, 'a') on conflict (id) do nothing; update public.goods set name = 'a' where id = 1 and name <> 'a';",
      },
      "seed_overwrites",
      /^shop\/seed\.sql: When it ran again it changed or removed rows of goods\. A customer may/,
    ],
    [
      "a seed that writes the same again",
      {
        "shop/seed.sql":
          "insert into public.goods values (1, 'a') on conflict (id) do update set name = excluded.name;",
      },
      "seed_overwrites",
      /^shop\/seed\.sql: When it ran again/,
    ],
    [
      "a function that writes an account when the file calls it",
      {
        [more]:
          "create function private.z() returns void language plpgsql set search_path = '' as $$ begin insert into auth.users (id, email) values (gen_random_uuid(), 'a@example.org'); end $$;\nrevoke all on function private.z() from public, anon, authenticated, service_role;\nselect private.z();",
      },
      "platform_rows",
      /20260201000300_more\.sql:1: it changes rows of auth\.users when it runs/,
    ],
    [
      "a row of the ledger that goes by a name put together",
      {
        [more]: "do $$ begin execute format('delete from %I.%I', 'ber' || 'th', 'ledger'); end $$;",
      },
      "platform_rows",
      /20260201000300_more\.sql:1: it changes rows of berth\.ledger/,
    ],
    [
      "checks without detail",
      { "shop/checks.sql": "select 'x' as check_name, true as ok;" },
      "checks_form",
      /"x" has no detail/,
    ],
    [
      "checks with one name twice",
      {
        "shop/checks.sql":
          "select 'x' as check_name, true as ok, 'a' as detail union all select 'x', true, 'b';",
      },
      "checks_form",
      /"x" is the name of two checks/,
    ],
    [
      "a seed that adds again",
      {
        "shop/seed.sql":
          "insert into public.goods select coalesce(max(id), 0) + 1, 'x' from public.goods;",
      },
      "seed_repeats",
      /^The seeds changed goods when they ran again\. A seed is run again at upgrades/,
    ],
    [
      "a seed that fails when it runs again",
      { "shop/seed.sql": "insert into public.goods values (1, 'a');" },
      "seed_repeats",
      /^shop\/seed\.sql:1: it fails when it runs again: duplicate key.*Insert only what is missing/,
    ],
    [
      "a seed that changes again",
      {
        "shop/seed.sql":
          "insert into public.goods values (1, 'a') on conflict (id) do update set name = 'again ' || clock_timestamp();",
      },
      "seed_repeats",
      /changed goods/,
    ],
    [
      "a seed that fails",
      { "shop/seed.sql": "insert into public.goods values (1, null);" },
      "sql_step_failed",
      /shop\/seed\.sql:1/,
    ],
    [
      "checks that do not hold",
      { "shop/checks.sql": row("false") },
      "checks_red",
      /^shop\/checks\.sql: "x" does not hold: seen\./,
    ],
    [
      "checks that answer nothing",
      { "shop/checks.sql": row("true").replace(";", " where false;") },
      "checks_empty",
      /answer no row/,
    ],
    [
      "checks that say neither yes nor no",
      { "shop/checks.sql": row("null::boolean") },
      "checks_form",
      /"x" says neither yes nor no/,
    ],
    [
      "checks with a number for ok",
      { "shop/checks.sql": row("1") },
      "checks_form",
      /neither yes nor no/,
    ],
    [
      "checks without a name",
      { "shop/checks.sql": row("true", "null") },
      "checks_form",
      /A row has no check_name\. Answer/,
    ],
    [
      "checks that fail",
      {
        "shop/checks.sql":
          "select name as check_name, true as ok, '' as detail from public.nothing;",
      },
      "checks_fail",
      /shop\/checks\.sql: .*nothing/,
    ],
    [
      "checks that write",
      {
        "shop/checks.sql":
          "with x as (insert into public.goods values (9, 'x') returning id) select 'x' as check_name, true as ok, '' as detail from x;",
      },
      "checks_fail",
      /read-only/,
    ],
    [
      "a table that older projects open to everyone",
      {
        [more]:
          "create table public.open (id int primary key);\nalter table public.open enable row level security;\ncomment on table public.open is 'x';",
      },
      "grant_modes_differ",
      /^base \+ shop differs by grant mode.*open/,
    ],
    [
      "the same by its rule",
      {
        [more]:
          "create table public.open (id int primary key);\nalter table public.open enable row level security;\ncomment on table public.open is 'x';",
      },
      "relation_open_to_everyone",
      /^shop\/migrations\/20260201000300_more\.sql:1: open is open to anon or everyone\. Revoke all/,
    ],
    [
      "a table without row-level security",
      {
        [more]:
          "create table public.bare (id int primary key);\nrevoke all on public.bare from anon, authenticated, service_role;\ncomment on table public.bare is 'x';",
      },
      "rls_disabled_in_public",
      /^shop\/migrations\/20260201000300_more\.sql:1: bare has no row-level security\. Enable/,
    ],
    [
      "an upgrade that ends up elsewhere",
      {
        ...releasedAs(
          "1.0.0",
          {
            ...soundBase,
            ...soundShop,
            "base/template.yaml": manifest("base"),
            [more]:
              "create or replace function private.n() returns int language sql set search_path = '' as 'select 2';\nrevoke all on function private.n() from public;",
          },
          "base",
          "shop",
        ),
        "shop/migrations/20260201000250_earlier.sql":
          "create or replace function private.n() returns int language sql set search_path = '' as 'select 1';\nrevoke all on function private.n() from public;",
      },
      "upgrade_differs",
      /^The upgrade of base 1\.0\.0 \+ shop 1\.0\.0 differs from a fresh install: private\.n\(\): its body/,
    ],
    [
      "an uninstall that leaves something",
      { "shop/uninstall.sql": "drop policy goods_select on public.goods;" },
      "uninstall_leaves",
      /^shop\/uninstall\.sql: It does not take away.*goods/,
    ],
    [
      "an uninstall that fails",
      { "shop/uninstall.sql": "drop table public.nothing;" },
      "uninstall_fails",
      /nothing/,
    ],
  ];

  it.each(cases)("%s", async (_, files, rule, sentence) => {
    const findings = await check({ ...soundBase, ...soundShop, ...files });
    const found = findings.filter((each) => each.rule === rule && sentence.test(each.message));
    expect(found, JSON.stringify(findings, null, 1)).toHaveLength(1);
    expect(found[0]?.seen[0]).toMatch(/^(base|shop).*, PostgreSQL 15, (legacy|2026-10) grants$/);
  });

  it("but not a sound one, upgraded and uninstalled", async () => {
    const upgraded = {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "base", "shop"),
      [more]: `create table public.labels (id int primary key);${closed("public.labels")}`,
      "shop/migrations/20260201000400_labels_policies.sql":
        "-- berth: phase=policies\ngrant select on public.labels to authenticated;\ncreate policy labels_select on public.labels for select to authenticated using ((select private.may()));",
      "shop/uninstall.sql": "drop table public.labels, public.goods;",
    };
    expect(await check(upgraded)).toEqual([]);
  });
});

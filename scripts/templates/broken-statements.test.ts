/** One broken template for each rule about what statements do. */
import { describe, expect, it } from "vitest";
import { manifest } from "#app/domain/catalog/template-folders.ts";
import {
  closed,
  more,
  releasedAs,
  soundBase,
  soundShop,
  tellEach,
  till,
  told,
} from "./sample-templates.ts";

tellEach("a file that may not do what it does is told with line, reason and what to do", [
  [
    "a commit",
    { [more]: "select 1;\ncommit;" },
    `${more}:2`,
    /transaction control is refused: the runner commits.*Remove it/,
  ],
  [
    "a commit in a DO block",
    { [more]: "do $$ begin commit; end $$;" },
    `${more}:1`,
    /transaction control/,
  ],
  [
    "a commit in EXECUTE",
    { [more]: "do $$ begin execute 'commit'; end $$;" },
    `${more}:1`,
    /transaction control/,
  ],
  [
    "another role",
    { [more]: "set local role anon;" },
    `${more}:1`,
    /SET ROLE is refused: roles belong to the project/,
  ],
  [
    "another role in a DO block",
    { [more]: "do $$ begin set role anon; end $$;" },
    `${more}:1`,
    /SET ROLE/,
  ],
  [
    "ALTER SYSTEM",
    { [more]: "alter system set work_mem = '1GB';" },
    `${more}:1`,
    /ALTER SYSTEM is refused/,
  ],
  [
    "COPY from a program",
    { [more]: "copy public.goods from program 'id';" },
    `${more}:1`,
    /COPY is refused.*INSERT/,
  ],
  ["COPY to a file", { [more]: "copy public.goods to '/tmp/x';" }, `${more}:1`, /COPY is refused/],
  [
    "an advisory lock",
    { [more]: "select pg_advisory_lock(1);" },
    `${more}:1`,
    /pg_advisory_lock\(\) is refused: advisory locks keep two runs apart.*Lock a row/,
  ],
  [
    "an advisory unlock in a function",
    {
      [more]:
        "create function public.f() returns void language plpgsql as $$ begin perform pg_advisory_unlock_all(); end $$;",
    },
    `${more}:1`,
    /pg_advisory_unlock_all/,
  ],
  [
    "a table in a schema of the platform",
    { [more]: "create table auth.mine (id int);" },
    `${more}:1`,
    /a change in the schema auth is refused: it belongs to Supabase.*Create the object/,
  ],
  [
    "the same in a DO block",
    { [more]: "do $$ begin delete from auth.users; end $$;" },
    `${more}:1`,
    /a change in the schema auth/,
  ],
  [
    "what PostgreSQL cannot parse",
    { [more]: "select 1;\n\nselect from where;" },
    `${more}:3`,
    /syntax error.*Correct the statement/,
  ],
  [
    "a file that closes two tables",
    {
      ...till({ requires: "[{ name: base, range: ^1.0.0 }, { name: shop, range: ^1.0.0 }]" }),
      "till/migrations/20260301000300_more.sql":
        "alter table public.goods add column a int;\nalter table public.places add column b int;",
    },
    "till/migrations/20260301000300_more.sql:2",
    /closes public\.goods and public\.places: they may hold rows.*a file of its own/,
  ],
  [
    "the same with tables that were released",
    {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
      [more]:
        "alter table public.goods add column a text;\nalter table public.places add column b text;",
    },
    `${more}:2`,
    /closes public\.goods and public\.places/,
  ],
  [
    "a rewrite of a table",
    {
      ...till({ requires: "[{ name: base, range: ^1.0.0 }, { name: shop, range: ^1.0.0 }]" }),
      "till/migrations/20260301000300_more.sql":
        "alter table public.goods add column at timestamptz not null default clock_timestamp();",
    },
    "till/migrations/20260301000300_more.sql:1",
    /public\.goods is written anew.*constant default/,
  ],
  [
    "an index that stops writers",
    {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
      [more]: "create index goods_name_idx on public.goods (name);",
    },
    `${more}:1`,
    /squawk's rule require-concurrent-index-creation.*concurrently/,
  ],
  [
    "a check that reads every row under a lock",
    {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
      [more]: "\nalter table public.goods add constraint goods_named check (name <> '');",
    },
    `${more}:2`,
    /squawk's rule constraint-missing-not-valid.*NOT VALID/,
  ],
  [
    "a foreign key that does",
    {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
      [more]: "alter table public.goods add foreign key (id) references public.places (id);",
    },
    `${more}:1`,
    /adding-foreign-key-constraint/,
  ],
  [
    "a column with a length",
    { [more]: `create table public.x (id int primary key, a varchar(10));${closed("public.x")}` },
    `${more}:1`,
    /prefer-text-field/,
  ],
  [
    "a time without a zone",
    { [more]: `create table public.x (id int primary key, a timestamp);${closed("public.x")}` },
    `${more}:1`,
    /prefer-timestamp-tz|timestamp/,
  ],
]);

describe("a folder with several broken files", () => {
  it("shows them all", async () => {
    const findings = await told({
      ...soundBase,
      ...soundShop,
      "base/template.yaml": manifest("base", { version: "x", plans: "[]" }),
      [more]: "commit;",
      "shop/seed.sql": "selekt 1;",
      "shop/notes.txt": "x",
    });
    expect(findings.map((each) => each.split(": ")[0]).sort()).toEqual(
      [
        "base/template.yaml:5",
        "base/template.yaml:6",
        `${more}:1`,
        "shop/notes.txt:1",
        "shop/seed.sql:1",
      ].sort(),
    );
  });
});

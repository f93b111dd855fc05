/** One broken template for each rule about parameters, and about what belongs to others. */
import { describe, expect, it } from "vitest";
import { manifest } from "#app/domain/catalog/template-folders.ts";
import {
  asking,
  type Broken,
  more,
  question,
  readsIt,
  releasedAs,
  soundBase,
  soundShop,
  tellEach,
  till,
  told,
} from "./sample-templates.ts";

tellEach("a file that reads or names what it may not is told with line, reason and what to do", [
  [
    "a parameter that a migration reads",
    { [more]: `comment on table public.goods is 'x';\nselect ${readsIt};` },
    `${more}:2`,
    /berth\.shop\.slogan is read outside seed\.sql: a migration is the same.*Read it in seed/,
  ],
  [
    "a parameter that a function reads",
    {
      [more]: `create function public.f() returns text language sql set search_path = ''\nas $$\n select ${readsIt} $$;`,
    },
    `${more}:3`,
    /read outside seed\.sql/,
  ],
  [
    "a parameter nobody declared",
    { "shop/seed.sql": `\nselect current_setting('berth.shop.motto', true);` },
    "shop/seed.sql:2",
    /berth\.shop\.motto is no parameter of this template.*Declare it/,
  ],
  [
    "a parameter of another template",
    { "shop/seed.sql": "select current_setting('berth.base.currency', true);" },
    "shop/seed.sql:1",
    /no parameter of this template/,
  ],
  [
    "a parameter nobody reads",
    { "shop/template.yaml": asking(question) },
    "shop/template.yaml:8",
    /no seed reads the parameter slogan: customers would be asked.*current_setting\('berth\.shop\.slogan', true\)/,
  ],
  [
    "a parameter that is spliced",
    {
      "shop/template.yaml": asking(question),
      "shop/seed.sql": `do $$\nbegin\n  execute format('comment on table public.goods is %s', ${readsIt});\nend $$;`,
    },
    "shop/seed.sql:3",
    /read in a block that runs EXECUTE: an answer could become part/,
  ],
  [
    "a parameter spliced as text of text",
    {
      "shop/template.yaml": asking(question),
      "shop/seed.sql": `do $$ begin execute 'select ' || 'current_setting(''berth.shop.slogan'')'; end $$;`,
    },
    "shop/seed.sql:1",
    /runs EXECUTE/,
  ],
  ...[
    "select current_setting('ber' || 'th.shop.slogan', true)",
    "select current_setting('ber'\n'th.shop.slogan', true)",
    "select current_setting(E'\\x62erth.shop.slogan', true)",
    "select current_setting(U&'\\0062erth.shop.slogan', true)",
    "select current_setting(x.n, true) from (values ('name')) x (n)",
    "show berth.shop.slogan",
    "select x.n from (values ('berth.shop.slogan')) x (n)",
  ].map(
    (sql): Broken => [
      `a name hidden in ${sql}`,
      { "shop/seed.sql": `${sql};` },
      "shop/seed.sql:",
      /computed at run time, or does not stand in current_setting/,
    ],
  ),
  [
    "a setting with a computed name",
    {
      "shop/seed.sql":
        "select current_setting('berth.' || 'x', true), current_setting(name, true) from public.goods;",
    },
    "shop/seed.sql:1",
    /computed at run time/,
  ],
  [
    "a change of a parameter",
    { "shop/seed.sql": "select set_config('berth.shop.slogan', 'x', true);" },
    "shop/seed.sql:1",
    /setting berth\.shop\.slogan is refused/,
  ],
  [
    "a table of a template that is not required",
    {
      ...till({}),
      [more]:
        "create view public.v with (security_invoker = true) as\nselect d.id from public.drawers d;",
    },
    `${more}:2`,
    /public\.drawers belongs to till: shop does not require it.*when=till/,
  ],
  [
    "such a table in a function",
    {
      ...till({}),
      [more]:
        "create function public.f() returns void language plpgsql set search_path = '' as $$\nbegin\n  perform 1 from public.drawers;\nend $$;",
    },
    `${more}:3`,
    /public\.drawers belongs to till/,
  ],
  [
    "a file that serves one template and names another",
    {
      ...till({}),
      "shop/template.yaml": manifest("shop", {
        optional: "[{ name: till, range: ^1.0.0 }, { name: desk, range: ^1.0.0 }]",
      }),
      "desk/template.yaml": manifest("desk"),
      "desk/migrations/20260401000100_desk.sql": "select 1;",
      "desk/checks.sql": "select 1;",
      [more]: "-- berth: when=desk\ncreate index on public.drawers (id);",
    },
    `${more}:2`,
    /belongs to till/,
  ],
  [
    "a file that serves what the manifest does not name",
    { ...till({}), [more]: "-- berth: when=till\nselect 1;" },
    `${more}:1`,
    /serves till, which the manifest does not name.*Add till to optional/,
  ],
]);

describe("what is allowed", () => {
  const [requiresShop] = ["[{ name: base, range: ^1.0.0 }, { name: shop, range: ^1.0.0 }]"];
  it.each([
    [
      "a parameter read in the seed",
      {
        "shop/template.yaml": asking(question),
        "shop/seed.sql": `insert into public.goods select 1, coalesce(${readsIt}, 'x') where not exists (select from public.goods);`,
      },
    ],
    [
      "a file that serves another template and names it",
      {
        ...till({}),
        "shop/template.yaml": manifest("shop", { optional: "[{ name: till, range: ^1.0.0 }]" }),
        [more]:
          "-- berth: when=till\ncreate view public.v with (security_invoker = true) as select d.id from public.drawers d;",
      },
    ],
    [
      "a table of a required template",
      {
        ...till(
          { requires: requiresShop },
          {
            "till/migrations/20260301000300_more.sql":
              "create view public.v with (security_invoker = true) as select g.id from public.goods g;",
          },
        ),
      },
    ],
    [
      "a check that is not yet valid",
      {
        ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
        [more]: "alter table public.goods add constraint goods_named check (name <> '') not valid;",
      },
    ],
    [
      "an index built beside the writers",
      {
        ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
        [more]:
          "-- berth: transaction=none\ncreate index concurrently goods_name_idx on public.goods (name);",
      },
    ],
  ])("%s", async (_, files) => {
    const findings = await told({ ...soundBase, ...soundShop, ...files });
    expect(findings).toEqual([]);
  });
});

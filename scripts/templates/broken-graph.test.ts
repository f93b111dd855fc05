/** One broken template for each rule about templates among each other, and as a whole. */
import { expect, it } from "vitest";
import { manifest } from "#app/domain/catalog/template-folders.ts";
import {
  releasedAs,
  shopPolicies,
  soundBase,
  soundShop,
  tellEach,
  till,
  told,
} from "./sample-templates.ts";

tellEach("templates that do not fit together are told with line, reason and what to do", [
  [
    "a circle",
    {
      "shop/template.yaml": manifest("shop", {
        requires: "[{ name: base, range: 1.x }, { name: till, range: 1.x }]",
      }),
      ...till({ requires: "[{ name: base, range: 1.x }, { name: shop, range: 1.x }]" }),
    },
    "",
    /in a circle: shop → till → shop/,
  ],
  [
    "a circle of what is made use of",
    {
      "shop/template.yaml": manifest("shop", { optional: "[{ name: till, range: 1.x }]" }),
      ...till({ optional: "[{ name: shop, range: 1.x }]" }),
    },
    "",
    /in a circle/,
  ],
  [
    "a missing template",
    {
      "shop/template.yaml": manifest("shop", {
        requires: "[{ name: base, range: 1.x }, { name: till, range: 1.x }]",
      }),
    },
    "shop/template.yaml:7",
    /the required template till is missing/,
  ],
  [
    "a missing optional template",
    { "shop/template.yaml": manifest("shop", { optional: "[{ name: till, range: 1.x }]" }) },
    "shop/template.yaml:8",
    /the optional template till is missing/,
  ],
  [
    "a version out of range",
    { "shop/template.yaml": manifest("shop", { requires: "[{ name: base, range: ^2.0.0 }]" }) },
    "shop/template.yaml:7",
    /base 1\.0\.0 is outside the range \^2\.0\.0/,
  ],
  [
    "a conflict with what it stands on",
    {
      ...till({
        requires: "[{ name: base, range: 1.x }, { name: shop, range: 1.x }]",
        conflicts: "[{ name: shop, reason: Two of a kind. }]",
      }),
    },
    "till/template.yaml:8",
    /till conflicts with shop, which it stands on/,
  ],
  [
    "a conflict with nobody",
    { "shop/template.yaml": manifest("shop", { conflicts: "[{ name: till, reason: x }]" }) },
    "shop/template.yaml:8",
    /the conflicting template till is missing/,
  ],
  [
    "two files with the same digits",
    { "shop/migrations/20260101000100_again.sql": "select 1;" },
    "shop/migrations/20260101000100_again.sql:1",
    /version 20260101000100 is taken by base/,
  ],
  [
    "a version of PostgreSQL that nobody tries",
    { "shop/template.yaml": manifest("shop", { postgres: "18" }) },
    "shop/template.yaml:8",
    /shop needs PostgreSQL 18: it would never be tried: there are 15 and 17.*up to 17/,
  ],
  ["a template without checks", { "shop/checks.sql": "" }, "shop/checks.sql:1", /no statement/],
  [
    "a released file that was edited",
    {
      ...releasedAs("1.0.0", { ...soundBase, ...soundShop }, "shop"),
      [shopPolicies]: `${soundShop[shopPolicies]}-- later\n`,
    },
    `${shopPolicies}:1`,
    /shop 1\.0\.0 was released with this file, which has changed since.*a new one of a later version/,
  ],
]);

it("but not the sound ones", async () => {
  expect(await told({ ...soundBase, ...soundShop })).toEqual([]);
  expect(await told(releasedAs("1.0.0", { ...soundBase, ...soundShop }, "base", "shop"))).toEqual(
    [],
  );
});

it("a template that has no checks.sql", async () => {
  const { "shop/checks.sql": _, ...files } = soundShop;
  expect(await told({ ...soundBase, ...files })).toEqual([
    "shop/template.yaml:1: shop has no checks.sql: nobody would notice that it does not work. Add one query that answers check_name, ok and detail.",
  ]);
});

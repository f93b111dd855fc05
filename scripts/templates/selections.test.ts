import { afterEach, expect, it } from "vitest";
import { load, manifest, removeFolders } from "#app/domain/catalog/template-folders.ts";
import { releasedAs, soundBase, soundShop, till } from "./sample-templates.ts";
import { selectionsOf, upgradesOf } from "./selections.ts";

afterEach(removeFolders);

const titles = (all: { title: string }[]) => all.map(({ title }) => title);

it("are each template alone, all pairs and all together, equal ones once", async () => {
  const catalog = await load({ ...soundBase, ...soundShop, ...till({}) });
  expect(titles(selectionsOf(catalog, ["base", "shop", "till"]))).toEqual([
    "base",
    "base + shop",
    "base + till",
    "base + shop + till",
  ]);
  expect(titles(selectionsOf(catalog, ["till"]))).toEqual(["base + till", "base + shop + till"]);
  expect(upgradesOf(catalog, ["base", "shop", "till"])).toEqual([]);
});

it("leave out what must not stand together", async () => {
  const conflicts = "[{ name: shop, reason: Two of a kind. }]";
  const catalog = await load({ ...soundBase, ...soundShop, ...till({ conflicts }) });
  expect(titles(selectionsOf(catalog, ["base", "shop", "till"]))).toEqual([
    "base",
    "base + shop",
    "base + till",
  ]);
});

it("are the largest sets where not all can stand together", async () => {
  const conflicts = "[{ name: shop, reason: Two of a kind. }]";
  const third = Object.fromEntries(
    Object.entries(soundShop).map(([file, text]) => [
      file.replace("shop/", "desk/").replace("20260201", "20260401"),
      text.replaceAll("shop", "desk").replaceAll("goods", "desks"),
    ]),
  );
  const files = { ...soundBase, ...soundShop, ...third, ...till({ conflicts }) };
  const names = ["base", "desk", "shop", "till"];
  const all = titles(selectionsOf(await load(files), names));
  expect(all).toContain("base + desk + shop");
  expect(all).toContain("base + desk + till");
  const catalog = await load(releasedAs("1.0.0", files, ...names));
  const upgrades = titles(upgradesOf(catalog, names));
  expect(upgrades).toContain("base 1.0.0 + desk 1.0.0 + shop 1.0.0");
  expect(upgrades).toContain("base 1.0.0 + desk 1.0.0 + till 1.0.0");
});

it("upgrade every released version from the oldest that it works with", async () => {
  const files = { ...soundBase, ...soundShop };
  const requires = "[{ name: base, range: ^1.1.0 }]";
  const catalog = await load({
    ...releasedAs("1.0.0", files, "base", "shop"),
    ...till({ requires }),
    "shop/template.yaml": manifest("shop", { version: "1.1.0", requires }),
  });
  expect(titles(upgradesOf(catalog, ["base", "shop", "till"]))).toEqual([
    "base 1.0.0",
    "base 1.0.0 + shop 1.0.0",
  ]);
  const [, shop] = upgradesOf(catalog, ["base", "shop"]);
  expect(shop?.to.map(({ name, version }) => `${name} ${version}`)).toEqual([
    "base 1.1.0",
    "shop 1.1.0",
  ]);
});

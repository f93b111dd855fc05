import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { sha256 } from "./template-file.ts";
import { base, beside, failure, load, manifest, removeFolders } from "./template-folders.ts";

afterEach(removeFolders);

const first = "shop/migrations/20260401000100_goods.sql";
const sound: Record<string, string> = {
  ...base,
  "shop/template.yaml": manifest("shop"),
  [first]: "create table public.goods (id int primary key);\n",
  "shop/seed.sql": "select 1;\n",
};
const below = (file: string) => file.slice("shop/".length);
const released = ["shop/template.yaml", first, "shop/seed.sql"];
const lock = JSON.stringify({
  shop: {
    "1.0.0": Object.fromEntries(released.map((file) => [below(file), sha256(sound[file] ?? "")])),
  },
});
/** Version 1.0.0 of shop is released. */
const files = {
  ...sound,
  "released.lock.json": lock,
  "shop/releases/1.0.0/template.yaml": sound["shop/template.yaml"] ?? "",
  "shop/releases/1.0.0/seed.sql": sound["shop/seed.sql"] ?? "",
};
const next = { "shop/template.yaml": manifest("shop", { version: "1.1.0" }) };
const without = (file: string, all: Record<string, string>) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== file));

describe("a released version", () => {
  it("is loaded as it was, beside the one that is being made", async () => {
    const catalog = await load({
      ...files,
      ...next,
      "shop/seed.sql": "select 2;\n",
      "shop/migrations/20260501000100_more.sql": "select 1;\n",
    });
    const { releases, isReleased } = catalog.history("shop");
    expect(isReleased).toBe(false);
    expect(releases.map(({ version, migrations }) => [version, migrations.length])).toEqual([
      ["1.0.0", 1],
    ]);
    expect(releases[0]?.seed?.sql).toBe("select 1;\n");
    expect(catalog.get("shop")).toMatchObject({ version: "1.1.0", seed: { sql: "select 2;\n" } });
    expect((await load(files)).history("shop").isReleased).toBe(true);
    expect((await load(sound)).history("shop")).toEqual({ releases: [], isReleased: false });
  });

  const cases: [string, Record<string, string>, string, RegExp][] = [
    [
      "an edited migration",
      { ...files, ...next, [first]: "create table public.goods (id bigint primary key);\n" },
      first,
      /shop 1\.0\.0 was released with this file, which has changed since.*Restore the file/,
    ],
    [
      "a removed migration",
      {
        ...without(first, files),
        ...next,
        "shop/migrations/20260501000100_more.sql": "select 1;\n",
      },
      first,
      /1\.0\.0 was released with this file, which is gone.*Restore the file/,
    ],
    [
      "an edited copy",
      { ...files, "shop/releases/1.0.0/seed.sql": "select 9;\n" },
      "shop/releases/1.0.0/seed.sql",
      /has changed since/,
    ],
    [
      "a removed copy",
      without("shop/releases/1.0.0/seed.sql", files),
      "shop/releases/1.0.0/seed.sql",
      /which is gone/,
    ],
    [
      "a removed copy of the manifest",
      without("shop/releases/1.0.0/template.yaml", files),
      "shop/releases/1.0.0/template.yaml",
      /the manifest is missing/,
    ],
    [
      "a new file without a raised version",
      { ...files, "shop/migrations/20260501000100_more.sql": "select 1;\n" },
      "shop/migrations/20260501000100_more.sql",
      /version 1\.0\.0 is released, and this file is not as it was then.*Raise the version/,
    ],
    [
      "a seed that changed without a raised version",
      { ...files, "shop/seed.sql": "select 2;\n" },
      "shop/seed.sql",
      /Raise the version/,
    ],
    [
      "a seed that went without a raised version",
      without("shop/seed.sql", files),
      "shop/seed.sql",
      /is gone.*Raise the version/,
    ],
    [
      "a manifest that changed without a raised version",
      { ...files, "shop/template.yaml": manifest("shop", { title: "Other" }) },
      "shop/template.yaml",
      /Raise the version/,
    ],
    [
      "a lower version",
      { ...files, "shop/template.yaml": manifest("shop", { version: "0.9.0" }) },
      "shop/template.yaml",
      /version 0\.9\.0 is not above 1\.0\.0/,
    ],
    [
      "a version that comes before",
      { ...files, "shop/template.yaml": manifest("shop", { version: "1.0.0-beta.1" }) },
      "shop/template.yaml",
      /1\.0\.0-beta\.1 is a prerelease.*Leave out/,
    ],
    [
      "a prerelease of what was never released",
      { ...sound, "shop/template.yaml": manifest("shop", { version: "1.1.0-rc.1" }) },
      "shop/template.yaml",
      /is a prerelease/,
    ],
    [
      "a released template whose folder is gone",
      Object.fromEntries(Object.entries(files).filter(([file]) => !file.startsWith("shop/"))),
      "released.lock.json",
      /shop was released, and its folder is gone.*Restore the folder shop/,
    ],
    [
      "a release that the lock does not know",
      { ...files, "shop/releases/3.0.0/seed.sql": "select 1;\n" },
      "shop/releases/3.0.0",
      /knows no release 3\.0\.0 of shop.*Remove the folder/,
    ],
    [
      "a lock with something that is no version",
      { ...files, "released.lock.json": lock.replace("1.0.0", "first") },
      "released.lock.json",
      /not a record of released files/,
    ],
    [
      "a lock that is not JSON",
      { ...files, "released.lock.json": "{" },
      "released.lock.json",
      /not a record of released files.*Restore it/,
    ],
    [
      "a lock with something else",
      { ...files, "released.lock.json": '{"shop": {"1.0.0": {"seed.sql": "x"}}}' },
      "released.lock.json",
      /not a record/,
    ],
  ];

  it.each(cases)("refuses %s", async (_, broken, file, sentence) => {
    const error = await failure(broken);
    expect(error).toMatchObject({
      code: "template_file_invalid",
      fix: expect.stringMatching(/\w/),
    });
    expect(error.file).toBe(file);
    expect(error.message).toMatch(sentence);
  });

  it("does not depend on line ends", async () => {
    const crlf = Object.fromEntries(
      Object.entries(files).map(([file, text]) => [file, text.replaceAll("\n", "\r\n")]),
    );
    expect((await load(crlf)).history("shop").isReleased).toBe(true);
  });

  it("keeps its place beside a file that serves another template", async () => {
    const when = "-- berth: when=till\nselect 1;\n";
    const more = "shop/migrations/20260501000100_for_till.sql";
    expect(await failure({ ...files, ...next, [more]: when })).toMatchObject({
      file: more,
      line: 1,
    });
    const optional = "[{ name: till, range: ^1.0.0 }]";
    const catalog = await load({
      ...files,
      ...beside("till"),
      "shop/template.yaml": manifest("shop", { version: "1.1.0", optional }),
      [more]: when,
    });
    expect(catalog.get("shop").migrations.map((file) => file.when)).toEqual([null, "till"]);
  });
});

describe("Berth's own database", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk.base.drop());

  it("has a row for every released version, and one for what is being made", async () => {
    const { rows } = await desk.base.admin.query<{ line: string }>(
      "select name || ' ' || version || ' ' || checksum as line from feature_templates",
    );
    const expected = desk.catalog.templates.flatMap((current) => {
      const { releases, isReleased } = desk.catalog.history(current.name);
      return [...releases, ...(isReleased ? [] : [current])];
    });
    expect(expected.filter(({ version }) => version === "1.0.0")).toHaveLength(4);
    expect(rows.map(({ line }) => line).sort()).toEqual(
      expected.map(({ name, version, checksum }) => `${name} ${version} ${checksum}`).sort(),
    );
  });
});

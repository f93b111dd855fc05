import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { loadCatalog } from "./index.server.ts";
import {
  base,
  beside,
  failure,
  folderOf,
  load,
  manifest,
  removeFolders,
} from "./template-folders.ts";

afterEach(removeFolders);

describe("loading", () => {
  it("reads Berth's own templates", async () => {
    const catalog = await loadCatalog(
      path.join(import.meta.dirname, "..", "..", "..", "feature-templates"),
    );
    expect(catalog.templates.map((t) => t.name)).toEqual(["analytics", "base", "inventory", "pos"]);
    const inventory = catalog.get("inventory");
    const alone = inventory.migrations.filter((file) => !file.transactional);
    expect(alone.map((file) => file.path)).toContain(
      "inventory/migrations/20260901010300_product_name_index.sql",
    );
    expect(new Set(alone.map((file) => file.statements.length))).toEqual(new Set([1]));
    for (const template of catalog.templates) {
      expect(template.migrations.map((file) => file.phase)).toContain("policies");
      expect(template.seed?.phase).toBe("seed");
      expect(template.checks?.statements).toHaveLength(1);
    }
  });

  it("answers each file with its version, phase, statements and checksum", async () => {
    const catalog = await load({
      ...base,
      ...beside("shop", {
        "migrations/20260301000200_rules.sql":
          "-- berth: phase=policies timeout=90s\n-- Rules.\n\nselect 1;\n\n  select 2;\n",
        "migrations/20260301000300_index.sql":
          "-- berth: transaction=none\n-- berth: timeout=6h\ncreate index concurrently i on public.a (id);\n",
        "seed.sql": "select 3;\n",
      }),
    });
    const { migrations, seed, checks } = catalog.get("shop");
    expect(
      migrations.map(({ version, name, phase, transactional, timeoutMs }) => [
        version,
        name,
        phase,
        transactional,
        timeoutMs,
      ]),
    ).toEqual([
      [expect.stringMatching(/^202602010000\d\d$/), "shop", "schema", true, null],
      ["20260301000200", "rules", "policies", true, 90_000],
      ["20260301000300", "index", "schema", false, 21_600_000],
    ]);
    expect(migrations[2]?.effects).toMatchObject({
      creates: [],
      locks: [{ relation: "public.a", mode: "SHARE UPDATE EXCLUSIVE", line: 3 }],
      rewrites: [],
    });
    expect(migrations[1]?.path).toBe("shop/migrations/20260301000200_rules.sql");
    expect(migrations[1]?.statements.map((s) => s.line)).toEqual([4, 6]);
    expect(migrations[0]?.checksum).toBe(
      // printf 'select 1;\n' | sha256sum
      "4a45092ccf992ea92250053a80b931b787924ba61648f420555511b84f10ab6c",
    );
    expect(seed).toMatchObject({ version: "", name: "seed", phase: "seed" });
    expect(checks).toBeNull();
  });

  it("gives the same checksums whatever line ends the files were checked out with", async () => {
    const crlf = Object.fromEntries(
      Object.entries(base).map(([file, text]) => [file, text.replaceAll("\n", "\r\n")]),
    );
    const [unix, windows] = [await load(base), await load(crlf)];
    expect(windows.get("base").checksum).toBe(unix.get("base").checksum);
  });

  it("changes a template's checksum with any of its files", async () => {
    const sums = new Set<string>();
    for (const changed of [
      {} as Record<string, string>,
      { "base/template.yaml": manifest("base", { title: "Another" }) },
      { "base/migrations/20260101000100_start.sql": "create table public.b (id int);\n" },
      { "base/seed.sql": "select 1;\n" },
      { "base/checks.sql": "select 1;\n" },
    ]) {
      sums.add((await load({ ...base, ...changed })).get("base").checksum);
    }
    expect(sums.size).toBe(5);
  });

  it("reads a folder once, and again after a failure", async () => {
    const folder = await folderOf({ ...base, "base/seed.sql": "selekt 1;" });
    await expect(loadCatalog(folder)).rejects.toMatchObject({ code: "sql_syntax" });
    await writeFile(path.join(folder, "base/seed.sql"), "select 1;");
    const catalog = await loadCatalog(folder);
    expect(await loadCatalog(folder)).toBe(catalog);
  });

  it("refuses a folder that is not there, or has no base", async () => {
    await expect(loadCatalog(path.join(await folderOf({}), "nowhere"))).rejects.toMatchObject({
      code: "templates_folder",
    });
    expect(await failure({ ".hidden/x": "" })).toMatchObject({ code: "templates_folder" });
  });
});

describe("files", () => {
  const migration = "base/migrations/20260101000200_more.sql";
  const cases: [string, string, string | Buffer, number, RegExp][] = [
    ["a short version", "base/migrations/2026_more.sql", "select 1;", 1, /Rename the file/],
    ["a capital in a name", "base/migrations/20260101000200_More.sql", "select 1;", 1, /Rename/],
    ["a name without a part", "base/migrations/20260101000200.sql", "select 1;", 1, /Rename/],
    ["a stray file", "base/migrations/notes.txt", "select 1;", 1, /Rename/],
    ["a misspelt file", "base/seeds.sql", "select 1;", 1, /holds nothing of this name/],
    ["an unknown directive", migration, "-- A\n-- berth: phase=last\nselect 1;", 2, /"phase=last"/],
    [
      "a directive that comes late",
      migration,
      "select 1;\n-- berth: phase=policies\n",
      2,
      /no effect/,
    ],
    [
      "a directive in a seed",
      "base/seed.sql",
      "-- berth: transaction=none\nselect 1;",
      1,
      /no effect/,
    ],
    ["a time limit of nothing", migration, "-- berth: timeout=0s\nselect 1;", 1, /no time limit/],
    [
      "a time limit too long",
      migration,
      "\n-- berth: timeout=361min\nselect 1;",
      2,
      /no time limit/,
    ],
    ["a time limit without a unit", migration, "-- berth: timeout=30\nselect 1;", 1, /timeout=30s/],
    ["two queries in the checks", "base/checks.sql", "select 1;\nselect 2;", 2, /UNION ALL/],
    ["an empty migration", migration, "-- nothing\n", 1, /no statement/],
    ["a file that is not UTF-8", migration, Buffer.from([0x2d, 0x2d, 0xff]), 1, /not UTF-8/],
    ["a dump", migration, "-- x\n".repeat(250_000), 1, /bytes/],
  ];

  it.each(cases)("refuses %s with file, line and fix", async (_, file, text, line, sentence) => {
    const error = await failure({ ...base, [file]: text });
    expect(error).toMatchObject({ code: "template_file_invalid", file, line });
    expect(error.message).toMatch(sentence);
    expect(error.fix).toMatch(/\w/);
  });

  it("refuses more than one statement without a transaction", async () => {
    const sql = "-- berth: transaction=none\nvacuum public.a;\nvacuum public.b;\n";
    expect(await failure({ ...base, [migration]: sql })).toMatchObject({
      code: "sql_forbidden",
      file: migration,
      line: 3,
    });
  });

  it("refuses what PostgreSQL's parser does not understand, and what it may not run", async () => {
    expect(await failure({ ...base, [migration]: "select 1;\nselect from where;" })).toMatchObject({
      code: "sql_syntax",
      file: migration,
      line: 2,
    });
    expect(await failure({ ...base, [migration]: "select 1;\n\ncommit;" })).toMatchObject({
      code: "sql_forbidden",
      file: migration,
      line: 3,
    });
  });

  it("refuses a template without a migration", async () => {
    const error = await failure({ ...base, "shop/template.yaml": manifest("shop") });
    expect(error).toMatchObject({ code: "template_file_invalid", file: "shop/migrations" });
  });

  it("overlooks what desktops leave behind", async () => {
    const litter = { "base/.DS_Store": "x", "base/migrations/.DS_Store": "x", "notes.md": "x" };
    expect((await load({ ...base, ...litter })).templates).toHaveLength(1);
  });
});

describe("templates among each other", () => {
  const requiring = (name: string, requires: string, changes = {}) =>
    beside(name, { "template.yaml": manifest(name, { requires, ...changes }) });

  it("refuses the same digits twice, in one template or in two", async () => {
    const again = { "base/migrations/20260101000100_twice.sql": "select 1;" };
    expect(await failure({ ...base, ...again })).toMatchObject({
      code: "template_version_duplicate",
      found: "20260101000100",
      file: "base/migrations/20260101000100_twice.sql",
    });
    const other = beside("shop", { "migrations/20260101000100_shop.sql": "select 1;" });
    const error = await failure({ ...base, ...other });
    expect(error).toMatchObject({ code: "template_version_duplicate" });
    expect(error.message).toContain("base/migrations/20260101000100_start.sql");
  });

  const dependencies: [string, Record<string, string>, number, RegExp][] = [
    [
      "a missing dependency",
      requiring("shop", "[{ name: base, range: 1.x }, { name: till, range: 1.x }]"),
      7,
      /till is missing/,
    ],
    [
      "a version out of range",
      requiring("shop", "[{ name: base, range: ^2.0.0 }]"),
      7,
      /base 1\.0\.0 is outside/,
    ],
    [
      "a requirement given twice",
      requiring("shop", "[{ name: base, range: 1.x }, { name: base, range: 1.x }]"),
      7,
      /named twice/,
    ],
    ["a template that does without base", requiring("shop", "[]"), 7, /does not require base/],
    [
      "base outside a plan",
      { "base/template.yaml": manifest("base", { plans: "[starter]" }) },
      6,
      /Add growth/,
    ],
    [
      "a base that needs a newer PostgreSQL",
      { "base/template.yaml": manifest("base", { postgres: "17" }), ...beside("shop") },
      1,
      /needs PostgreSQL 17/,
    ],
  ];

  it.each(dependencies)("refuses %s", async (_, files, line, sentence) => {
    const error = await failure({ ...base, ...files });
    expect(error).toMatchObject({ code: "template_dependency", line });
    expect(error.message).toMatch(sentence);
    expect(error.fix).toMatch(/\w/);
  });

  it("refuses a plan that lacks what its template stands on", async () => {
    const files = {
      ...base,
      ...beside("stock", { "template.yaml": manifest("stock", { plans: "[business]" }) }),
      ...requiring("till", "[{ name: base, range: 1.x }, { name: stock, range: 1.x }]", {
        plans: "[growth, business]",
      }),
    };
    const error = await failure(files);
    expect(error).toMatchObject({
      code: "template_dependency",
      file: "till/template.yaml",
      line: 6,
    });
    expect(error.message).toContain("growth includes till but not the required stock");
  });

  it("refuses a circle, and names its members", async () => {
    const files = {
      ...requiring("one", "[{ name: base, range: 1.x }, { name: two, range: 1.x }]"),
      ...requiring("two", "[{ name: base, range: 1.x }, { name: three, range: 1.x }]"),
      ...requiring("three", "[{ name: base, range: 1.x }, { name: one, range: 1.x }]"),
    };
    const error = await failure({ ...base, ...files });
    expect(error).toMatchObject({ code: "template_cycle", fix: expect.any(String) });
    expect(error.cycle).toEqual(["one", "two", "three", "one"]);
  });

  it("orders by dependency, base first, whatever the order of the names", async () => {
    const catalog = await load({
      ...base,
      ...beside("zebra"),
      ...beside("apple"),
      ...requiring("mango", "[{ name: base, range: 1.x }, { name: zebra, range: 1.x }]"),
    });
    const names = (wanted: string[]) => catalog.order(wanted).map((template) => template.name);
    expect(names([])).toEqual(["base"]);
    expect(names(["mango"])).toEqual(["base", "zebra", "mango"]);
    expect(names(["mango", "base", "apple", "mango"])).toEqual(["base", "apple", "zebra", "mango"]);
    expect(names(["apple", "mango"])).toEqual(names(["mango", "apple"]));
    expect(() => catalog.order(["ghost"])).toThrow(/no template named "ghost"/);
    expect(() => catalog.get("ghost")).toThrow(/no template named "ghost"/);
  });
});

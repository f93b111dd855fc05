import { afterEach, describe, expect, it } from "vitest";
import { base, beside, failure, manifest, removeFolders } from "./template-folders.ts";

afterEach(removeFolders);

describe("manifests", () => {
  const cases: [string, Record<string, string | null>, number, RegExp][] = [
    ["an unknown key", { requres: "[]" }, 8, /unknown.*Remove it, or correct/],
    [
      "a key named like a prototype",
      { __proto__x: "1", constructor: "1" },
      8,
      /"__proto__x" is unknown/,
    ],
    ["a missing key", { title: null }, 1, /title is missing.*Add a line with the key title/],
    ["an empty title", { title: '"  "' }, 2, /title is not empty/],
    ["a bad version", { version: "1.0" }, 5, /three numbers, like 1\.0\.0/],
    ["a version with a v", { version: "v1.0.0" }, 5, /three numbers/],
    ["a bad name", { name: "Base!" }, 1, /small letters/],
    ["a bad range", { requires: "[{ name: base, range: newest }]" }, 7, /written like \^1\.0\.0/],
    ["an empty range", { requires: '[{ name: base, range: "" }]' }, 7, /written like \^1\.0\.0/],
    [
      "a key unknown in a requirement",
      { requires: "[{ name: base, range: ^1.0.0, when: x }]" },
      7,
      /"when" is unknown/,
    ],
    ["an unknown plan", { plans: "[starter, gold]" }, 6, /a plan is one of starter/],
    ["a plan named twice", { plans: "[starter, starter]" }, 6, /stands in the list once/],
    ["no plan", { plans: "[]" }, 6, /at least one plan/],
    ["an old PostgreSQL", { postgres: "14" }, 8, /15 or newer/],
    ["half a PostgreSQL", { postgres: "15.5" }, 8, /whole number/],
    ["broken YAML", { title: "[" }, 3, /not valid YAML/],
    ["a key given twice", { "version ": "1.0.1" }, 8, /not valid YAML/],
    ["an alias", { title: "&t Title", description: "*t" }, 3, /aliases are not allowed/],
  ];

  it.each(cases)("refuses %s with file, line and fix", async (_, changes, line, sentence) => {
    const error = await failure({ ...base, "base/template.yaml": manifest("base", changes) });
    expect(error).toMatchObject({
      code: "template_manifest_invalid",
      file: "base/template.yaml",
      line,
      fix: expect.stringMatching(/\w/),
    });
    expect(error.message).toMatch(sentence);
    expect(error.message).toContain(`base/template.yaml:${line}: `);
  });

  it("points at the line of an item in a list over several lines", async () => {
    const requires = "\n  - name: base\n    range: ^1.0.0\n  - name: x\n    range: nonsense";
    const files = beside("shop", { "template.yaml": manifest("shop", { requires }) });
    const error = await failure({ ...base, ...files });
    expect(error).toMatchObject({ code: "template_manifest_invalid", line: 10 });
    expect((error.problems as { line: number }[]).map((p) => p.line)).toEqual([10, 11]);
  });

  it("tells all problems, in order of line", async () => {
    const text = manifest("base", { version: "x", plans: "[]", extra: "1" });
    const error = await failure({ ...base, "base/template.yaml": text });
    expect((error.problems as { line: number }[]).map((p) => p.line)).toEqual([5, 6, 8]);
    expect(error.message).toContain("(2 more in this file)");
  });

  it.each(["", "# nothing\n", "- a list\n", "just words\n"])("refuses %j", async (text) => {
    const error = await failure({ ...base, "base/template.yaml": text });
    expect(error).toMatchObject({ code: "template_manifest_invalid", line: 1 });
  });

  it("refuses a name that is not the folder's", async () => {
    const files = beside("shop", { "template.yaml": manifest("store") });
    expect(await failure({ ...base, ...files })).toMatchObject({
      code: "template_file_invalid",
      file: "shop/template.yaml",
      line: 1,
      found: "store",
      needed: "shop",
    });
  });

  it("refuses a folder without a manifest", async () => {
    const error = await failure({ ...base, "shop/seed.sql": "select 1;" });
    expect(error).toMatchObject({ code: "template_file_invalid", file: "shop/template.yaml" });
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { base, beside, failure, load, manifest, removeFolders } from "./template-folders.ts";

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
    // What a template makes use of, or cannot stand beside.
    [
      "a bad range of what is optional",
      { optional: "[{ name: x1, range: newest }]" },
      8,
      /optional\.0\.range.*written like \^1\.0\.0/,
    ],
    ["no list of what is optional", { optional: "inventory" }, 8, /it is a list of templates/],
    [
      "a conflict without a reason",
      { conflicts: "[{ name: x1 }]" },
      8,
      /conflicts\.0\.reason is missing/,
    ],
    [
      "a conflict with an empty reason",
      { conflicts: '[{ name: x1, reason: "" }]' },
      8,
      /a reason is not empty/,
    ],
    // Storage and sign-in.
    ["a bucket in capitals", { storage: "[{ bucket: Files }]" }, 8, /3 to 63 small letters/],
    [
      "a bucket that is nearly public",
      { storage: "[{ bucket: files, public: yes please }]" },
      8,
      /public is true or false/,
    ],
    [
      "a limit in words",
      { storage: "[{ bucket: files, file_size_limit: 5MB }]" },
      8,
      /a whole number of bytes/,
    ],
    [
      "a limit above Supabase's",
      { storage: "[{ bucket: files, file_size_limit: 60000000000 }]" },
      8,
      /no file above 50 GiB/,
    ],
    [
      "a kind of file without a slash",
      { storage: "[{ bucket: files, allowed_mime_types: [png] }]" },
      8,
      /like image\/png/,
    ],
    [
      "an empty list of kinds",
      { storage: "[{ bucket: files, allowed_mime_types: [] }]" },
      8,
      /leave it out/,
    ],
    [
      "an unknown setting of sign-in",
      { auth: "{ enable_signup: true }" },
      8,
      /"enable_signup" is unknown/,
    ],
    [
      "a setting that is neither on nor off",
      { auth: "{ disable_signup: 1 }" },
      8,
      /it is true or false/,
    ],
    // Time and what is due.
    [
      "a limit of time without a unit",
      { timeouts: "{ schema: 30 }" },
      8,
      /whole number with s, min or h/,
    ],
    ["a limit of time too long", { timeouts: "{ seed: 7h }" }, 8, /from 1s to 6h/],
    [
      "a limit for an unknown step",
      { timeouts: "{ migrations: 1h }" },
      8,
      /"migrations" is unknown/,
    ],
    [
      "what is due in another schema",
      { due: "public.run_due" },
      8,
      /a function of the schema private/,
    ],
    [
      "a parameter whose name every object has",
      { parameters: "[{ name: constructor, title: A, type: boolean }]" },
      8,
      /parameters\.0\.name.*something of this name/,
    ],
    [
      "a template whose name every object has",
      { optional: "[{ name: constructor, range: ^1.0.0 }]" },
      8,
      /optional\.0\.name.*something of this name/,
    ],
    [
      "two parameters of one name",
      {
        parameters: "[{ name: a, title: A, type: boolean }, { name: a, title: B, type: boolean }]",
      },
      8,
      /each parameter stands in the list once/,
    ],
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

  it("takes every key, and fills in what is left out", async () => {
    const all = {
      optional: "[{ name: extra, range: ^1.0.0 }]",
      conflicts: "[{ name: other, reason: Two of a kind. }]",
      storage: "[{ bucket: files, file_size_limit: 1000, allowed_mime_types: [image/*] }]",
      auth: "{ disable_signup: true }",
      parameters: "[{ name: slogan, title: Slogan, type: text, default: Hi }]",
      timeouts: "{ schema: 10min, checks: 30s }",
      due: "private.run_due",
    };
    const checks = { "checks.sql": "select 1;" };
    const files = {
      ...base,
      ...beside("extra"),
      ...beside("other"),
      ...beside("shop", { "template.yaml": manifest("shop", all), ...checks }),
    };
    const catalog = await load(files);
    const shop = catalog.get("shop");
    expect(shop).toMatchObject({
      optional: [{ name: "extra", range: "^1.0.0" }],
      conflicts: [{ name: "other", range: "*", reason: "Two of a kind." }],
      storage: [{ bucket: "files", public: false, file_size_limit: 1000 }],
      auth: { disable_signup: true },
      parameters: [{ name: "slogan", type: "text", min: 1, max: 200, default: "Hi" }],
      due: "private.run_due",
      minimumPostgres: 15,
    });
    expect(shop.migrations[0]?.timeoutMs).toBe(600_000);
    expect(shop.checks?.timeoutMs).toBe(30_000);
    expect(catalog.get("base")).toMatchObject({
      optional: [],
      conflicts: [],
      storage: [],
      auth: {},
      parameters: [],
      due: null,
    });
    // What is made use of comes first where it is there, and is not brought along where it is not.
    const names = (...wanted: string[]) => catalog.order(wanted).map(({ name }) => name);
    expect(names("shop")).toEqual(["base", "shop"]);
    expect(names("shop", "extra")).toEqual(["base", "extra", "shop"]);
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

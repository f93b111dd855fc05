import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { TemplateItem } from "#app/domain/catalog/index.server.ts";
import { TemplateFacts } from "./template-facts.tsx";

const PLAIN: TemplateItem = {
  name: "kitchen",
  title: "Kitchen",
  description: "Cooks.",
  category: "operations",
  version: "1.1.0",
  versions: [
    { version: "1.1.0", isReleased: false },
    { version: "1.0.0", isReleased: true },
  ],
  active: true,
  isBase: false,
  requires: [{ name: "base", title: "Base", range: "^1.0.0", active: true }],
  optional: [],
  conflicts: [],
  parameters: [],
  buckets: [],
  neededBy: [],
  plans: ["Growth"],
  files: [{ path: "kitchen/migrations/20261122000100_ovens.sql", phase: "schema", when: null }],
  statements: 3,
  installed: 0,
};
const shown = (change: Partial<TemplateItem> = {}) =>
  renderToStaticMarkup(<TemplateFacts template={{ ...PLAIN, ...change }} />).replace(
    /<[^>]*>/g,
    "",
  );

it("says what is not released", () => {
  expect(shown()).toContain("operations · not released");
  expect(shown()).toContain("1.0.0 released");
  const versions = [{ version: "1.1.0", isReleased: true }];
  expect(shown({ versions })).not.toContain("not released");
});

it("says what it uses and cannot stand beside, where there is something", () => {
  expect(shown()).not.toContain("Uses");
  expect(shown()).not.toContain("Not beside");
  const text = shown({
    optional: [{ name: "pos", title: "Point of sale", range: "^1.0.0" }],
    conflicts: [{ name: "bar", title: "Bar", reason: "Both pour." }],
  });
  expect(text).toContain("Point of sale ^1.0.0, where present");
  expect(text).toContain("Bar: Both pour.");
});

it("says what it asks, stores and holds", () => {
  const asked = {
    title: "Asked",
    type: "text" as const,
    help: null,
    preset: null,
    prefill: null,
    options: [],
    min: null,
    max: null,
    isMoney: false,
  };
  const text = shown({
    parameters: [
      { ...asked, name: "one" },
      { ...asked, name: "two", preset: "" },
      { ...asked, name: "three", prefill: "company" },
      { ...asked, name: "four", type: "decimal", preset: "0.2", min: 0, max: 1 },
      { ...asked, name: "five", type: "currency", prefill: "currency", preset: "EUR" },
      {
        ...asked,
        name: "six",
        type: "choice",
        options: [
          { value: "mon", title: "Monday" },
          { value: "sun", title: "Sunday" },
        ],
        preset: "mon",
      },
      { ...asked, name: "seven", type: "decimal", isMoney: true, min: 0, preset: "0" },
    ],
    buckets: [
      { name: "dishes", isPublic: false, largestFile: 50 * 1024 ** 2, types: ["image/png"] },
    ],
    files: [...PLAIN.files, { path: "kitchen/seed.sql", phase: "seed", when: "Point of sale" }],
  });
  for (const words of [
    "one a text, must be answered",
    "two a text, beforehand empty",
    "three a text, beforehand the company’s name",
    "four a number from 0 to 1, beforehand 0.2",
    "five a currency, beforehand the currency of the customer’s country, else EUR",
    "six one of a list (Monday mon, Sunday sun), beforehand mon",
    "seven an amount of money, 0 or more, beforehand 0",
    "dishes private, files up to 50 MiB: PNG",
    "2 files, 3 statements",
    "migrations/20261122000100_ovens.sql schema",
    "seed.sql seed, only with Point of sale",
  ]) {
    expect(text).toContain(words);
  }
});

import { afterEach, describe, expect, it } from "vitest";
import {
  completeAnswers,
  judgeAnswer,
  type Parameter,
  parameterSchema,
  presetOf,
  settingsOf,
} from "./parameters.ts";
import { base, failure, manifest, removeFolders } from "./template-folders.ts";

afterEach(removeFolders);

const asked = { name: "it", title: "It" };
const parameter = (more: Record<string, unknown>): Parameter =>
  parameterSchema.parse({ ...asked, ...more });
const facts = { company: "Müller & Söhne", timeZone: "Europe/Vienna" };

describe("a parameter in a manifest", () => {
  const cases: [string, string, RegExp][] = [
    ["an unknown type", "type: date", /a parameter's type is one of text, integer, decimal/],
    ["no type", "help: x", /parameters\.0\.type is missing/],
    ["a key of another type", "type: boolean, min: 1", /"min" is unknown/],
    [
      "a text that is too long by default",
      "type: text, max: 3, default: long",
      /Use at most 3 characters/,
    ],
    ["an empty text by default", 'type: text, default: ""', /Fill this in/],
    [
      "a text that lacks its form",
      "type: text, pattern: '[A-Z]{3}', default: AB",
      /does not have the form/,
    ],
    ["a number for a text", "type: text, default: 5", /a default of this type is a text/],
    ["half an integer", "type: integer, default: 1.5", /a default of this type is a whole number/],
    ["an integer below its bound", "type: integer, min: 5, default: 4", /Use 5 or more/],
    ["an integer above its bound", "type: integer, max: 5, default: 6", /Use 5 or less/],
    ["a decimal in words", "type: decimal, default: half", /a default of this type is a number/],
    ["a decimal above its bound", "type: decimal, max: 1, default: 1.01", /Use 1 or less/],
    [
      "a boolean in words",
      'type: boolean, default: "no"',
      /a default of this type is true or false/,
    ],
    ["a choice without options", "type: choice", /options is missing/],
    ["a choice of one", "type: choice, options: [{ value: a, title: A }]", /two options at least/],
    [
      "a default that is no option",
      "type: choice, options: [{ value: a, title: A }, { value: b, title: B }], default: c",
      /Choose one of the options/,
    ],
    ["an unknown currency", "type: currency, default: EURO", /three letters, such as EUR/],
    [
      "a zone that is an offset",
      "type: time_zone, default: '+02:00'",
      /a time zone such as Europe\/Berlin/,
    ],
    ["an unknown zone", "type: time_zone, default: Europe/Nowhere", /a time zone such as/],
    ["a locale with an underscore", "type: locale, default: de_AT", /such as de or de-AT/],
    [
      "an unknown fact",
      "type: text, prefill: phone",
      /what can be prefilled is company or time_zone/,
    ],
  ];

  it.each(cases)("is refused for %s, with file and line", async (_, yaml, sentence) => {
    const parameters = `\n  - name: it\n    title: It\n    ${yaml.replace(/, (?=[a-z]+: )(?![^[]*\])/g, "\n    ")}`;
    const error = await failure({
      ...base,
      "base/template.yaml": manifest("base", { parameters }),
    });
    expect(error).toMatchObject({
      code: "template_manifest_invalid",
      file: "base/template.yaml",
      fix: expect.stringMatching(/\w/),
    });
    expect(error.line).toBeGreaterThan(8);
    expect(error.message).toMatch(sentence);
  });
});

describe("an answer", () => {
  const text = parameter({ type: "text", max: 10, pattern: "[^<>]*" });
  const options = [
    { value: "a", title: "A" },
    { value: "b", title: "B" },
  ];
  it.each([
    [text, "  Ünal's  ", "Ünal's"],
    [text, "😀😀😀😀😀😀😀😀😀😀", "😀😀😀😀😀😀😀😀😀😀"],
    [parameter({ type: "text", min: 0 }), " ", ""],
    [parameter({ type: "integer" }), "+007", "7"],
    [parameter({ type: "integer" }), "-12", "-12"],
    [parameter({ type: "decimal" }), "0.10", "0.1"],
    [parameter({ type: "decimal" }), "100", "100"],
    [parameter({ type: "decimal" }), "0.000000001", "0.000000001"],
    [parameter({ type: "boolean" }), " true ", "true"],
    [parameter({ type: "choice", options }), "b", "b"],
    [parameter({ type: "currency" }), "chf", "CHF"],
    [
      parameter({ type: "time_zone" }),
      "America/Argentina/Buenos_Aires",
      "America/Argentina/Buenos_Aires",
    ],
    [parameter({ type: "locale" }), "sr-Latn-RS", "sr-Latn-RS"],
  ])("%o takes %j", (asking, given, value) => {
    expect(judgeAnswer(asking, given)).toEqual({ value });
  });

  it.each([
    [text, ""],
    [text, "two\nlines"],
    [text, "a\u0000b"],
    [text, "\ud800"],
    [text, "<script>"],
    [text, "longer than ten"],
    [parameter({ type: "integer" }), "1e3"],
    [parameter({ type: "integer" }), "9".repeat(16)],
    [parameter({ type: "decimal" }), "1,5"],
    [parameter({ type: "decimal" }), "NaN"],
    [parameter({ type: "boolean" }), "yes"],
    [parameter({ type: "choice", options }), "A"],
    [parameter({ type: "currency" }), "XYZ1"],
    [parameter({ type: "time_zone" }), "EST5EDT4,M3.2.0"],
    [parameter({ type: "locale" }), "english"],
  ])("%o refuses %j with a sentence", (asking, given) => {
    expect(judgeAnswer(asking, given)).toEqual({ problem: expect.stringMatching(/^[A-Z].+\.$/) });
  });
});

describe("all answers of a choice", () => {
  const shop = {
    name: "my-shop",
    parameters: [
      parameter({ type: "text", name: "company", prefill: "company" }),
      parameter({ type: "integer", name: "tables", default: 4 }),
      parameter({ type: "currency", name: "currency" }),
    ],
  };

  it("are completed with what stands there beforehand", () => {
    expect(completeAnswers([shop], { "my-shop": { currency: "eur" } }, facts)).toEqual({
      answers: { "my-shop": { company: "Müller & Söhne", tables: "4", currency: "EUR" } },
      problems: [],
    });
  });

  it("name every question that is open, and every answer that nobody asked for", () => {
    const given = { "my-shop": { tables: [1], colour: "red" }, till: { a: "b" } };
    const { problems } = completeAnswers([shop], given, facts);
    expect(problems.map(({ template, parameter: name }) => `${template}.${name}`)).toEqual([
      "my-shop.tables",
      "my-shop.currency",
      "my-shop.colour",
      "till.a",
    ]);
  });

  it("become settings whose names SQL can write", () => {
    const answers = { "my-shop": { company: "O'Neill", tables: "4" } };
    expect(settingsOf([shop], answers)).toEqual({
      "berth.my_shop.company": "O'Neill",
      "berth.my_shop.tables": "4",
    });
  });

  it("are not prefilled with a fact that the parameter refuses", () => {
    const short = parameter({ type: "text", max: 3, prefill: "company" });
    expect(presetOf(short, facts)).toBeNull();
    expect(presetOf(parameter({ type: "time_zone", prefill: "time_zone" }), facts)).toBe(
      "Europe/Vienna",
    );
  });
});

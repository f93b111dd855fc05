import { afterEach, describe, expect, it } from "vitest";
import { isCountry } from "../onboarding/schema.ts";
import {
  completeAnswers,
  knownOf,
  type Parameter,
  parameterSchema,
  presetOf,
  settingsOf,
} from "./parameters.ts";
import { judgeAnswer } from "./parameters-judge.ts";
import { base, failure, manifest, removeFolders } from "./template-folders.ts";

afterEach(removeFolders);

const asked = { name: "it", title: "It" };
const parameter = (more: Record<string, unknown>): Parameter =>
  parameterSchema.parse({ ...asked, ...more });
const facts = { company: "Müller & Söhne", country: "AT", timeZone: "Europe/Vienna" };

describe("a parameter in a manifest", () => {
  const cases: [string, string, RegExp][] = [
    ["an unknown type", "type: date", /a parameter's type is one of text, integer, decimal/],
    ["no type", "help: x", /parameters\.0\.type is missing/],
    ["a form that is none", "type: text, pattern: '['", /it is no regular expression/],
    [
      "a form that is none, and a default",
      "type: text, pattern: 'a)(b', default: a",
      /it is no regular expression/,
    ],
    [
      "bounds that leave nothing",
      "type: integer, min: 5, max: 2",
      /no answer lies between it and max, which is \d+/,
    ],
    [
      "a text of no length",
      "type: text, min: 300",
      /no answer lies between it and max, which is \d+/,
    ],
    [
      "an option that nobody could choose",
      'type: choice, options: [{ value: a, title: A }, { value: "b\tc", title: B }]',
      /options\.1\.value.*Use plain text on one line/,
    ],
    [
      "an option that is there twice",
      "type: choice, options: [{ value: a, title: A }, { value: a, title: B }]",
      /options\.1\.value.*stands in the list already/,
    ],
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
      /what can be prefilled is company, time_zone, currency or locale/,
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
    [parameter({ type: "text", min: 0 }), "\u200b\u2060\u200f", ""],
    [text, "!", "!"],
    [text, "مرحبا\u200f", "مرحبا\u200f"],
    [parameter({ type: "integer" }), "+007", "7"],
    [parameter({ type: "integer" }), "-12", "-12"],
    [parameter({ type: "decimal" }), "0.10", "0.1"],
    [parameter({ type: "decimal" }), "100", "100"],
    [parameter({ type: "decimal" }), "12,50", "12.5"],
    [parameter({ type: "decimal" }), "0,125", "0.125"],
    [parameter({ type: "decimal" }), "1.125", "1.125"],
    [parameter({ type: "decimal" }), "1250,500", "1250.5"],
    [parameter({ type: "decimal" }), "-0", "0"],
    [parameter({ type: "decimal" }), "-0.00", "0"],
    [parameter({ type: "decimal" }), "0100.00", "100"],
    [parameter({ type: "decimal" }), "-999999999999,999999990", "-999999999999.99999999"],
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
    [parameter({ type: "decimal" }), "12,50 €"],
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

describe("a sentence about", () => {
  const amount = parameter({ type: "decimal", unit: "currency", min: 0, max: 1_000_000_000 });
  const thousands =
    "Leave out the sign between thousands: write 1250 or 1250.50, with one comma or point for decimals.";
  it.each([
    [amount, "", "Fill this in."],
    [amount, "\u200b", "Fill this in."],
    [parameter({ type: "text" }), "\u200b\u2060\u200f\u3164\u2800", "Fill this in."],
    [amount, "99999999999999999", "Use 1000000000 or less."],
    [amount, "-3", "Use 0 or more."],
    [amount, `-${"9".repeat(20)}`, "Use 0 or more."],
    [amount, "1e5", "Write the number out, such as 100000."],
    [amount, "1,250", thousands],
    [amount, "1.250", thousands],
    [amount, "1.250,00", thousands],
    [amount, "1,250.00", thousands],
    [amount, "1 250", thousands],
    [amount, "1’250,50", thousands],
    [amount, "12,50e", "Use a number, such as 12 or 12.50."],
    [amount, "0.0000000001", "Use at most 9 decimals."],
    [parameter({ type: "integer" }), "1.5", "Use a whole number, such as 12."],
    [parameter({ type: "integer" }), "1,250", "Leave out the sign between thousands: write 1250."],
  ])("%o and %j says what to do", (asking, given, problem) => {
    expect(judgeAnswer(asking, given)).toEqual({ problem });
  });
});

describe("a preset", () => {
  const money = parameter({ type: "currency", prefill: "currency", default: "EUR" });
  const language = parameter({ type: "locale", prefill: "locale", default: "en" });
  it.each([
    ["DE", "EUR", "de"],
    ["AT", "EUR", "de-AT"],
    ["CH", "CHF", "de-CH"],
    ["US", "USD", "en"],
    ["GB", "GBP", "en-GB"],
    ["LI", "CHF", "de-LI"],
    ["CA", "CAD", "en-CA"],
    ["BR", "BRL", "pt"],
    ["ZZ", "EUR", "en"],
    ["", "EUR", "en"],
  ])("of a company in %j is %s and %s", (country, currency, locale) => {
    const here = { ...facts, country };
    expect([presetOf(money, here), presetOf(language, here)]).toEqual([currency, locale]);
  });

  it("is known for every country, but for those whose money is nowhere offered", () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    const codes = letters.flatMap((one) => letters.map((two) => one + two)).filter(isCountry);
    expect(codes.length).toBeGreaterThan(240);
    const open = codes.filter((country) => knownOf(money, { ...facts, country }) === null);
    expect(open).toEqual(["AQ", "CW", "SX"]);
    for (const country of codes) {
      const known = knownOf(language, { ...facts, country });
      if (known !== null) expect(judgeAnswer(language, known)).toEqual({ value: known });
    }
  });

  it("is the default where the fact is nothing that the question takes", () => {
    const short = parameter({ type: "text", max: 3, prefill: "company", default: "Me" });
    expect(presetOf(short, facts)).toBe("Me");
    expect(presetOf(short, { ...facts, company: "Ann" })).toBe("Ann");
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
    expect(problems.slice(2).map(({ message }) => message)).toEqual([
      "This feature does not ask this. It asks: company, tables, currency.",
      "This feature is not among those chosen, so nothing of it is asked.",
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

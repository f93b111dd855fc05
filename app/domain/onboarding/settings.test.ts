import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { askingOnly } from "../../../tests/support/questions.ts";
import { type Catalog, judgeAnswer } from "../catalog/index.server.ts";
import { businessAnswer } from "./answers.ts";
import {
  AnswersNotPossibleError,
  behindOf,
  findDraft,
  firstOpenStep,
  leaveToBerth,
  readSettings,
  StepNotOpenError,
  saveBusiness,
  saveFeatures,
  savePlan,
  saveSettings,
  settingField,
  stepsOf,
  submitDraft,
  tellAnswers,
  viewReview,
  viewSettings,
} from "./index.server.ts";

let desk: Desk;
let catalog: Catalog;
/** A new account for each test. */
let ann: Actor;

beforeAll(async () => {
  desk = await openDesk();
  catalog = askingOnly(desk.catalog, {
    base: [
      {
        name: "company",
        title: "Company name",
        help: "On receipts.",
        type: "text",
        min: 1,
        max: 40,
        prefill: "company",
      },
      { name: "zone", title: "Time zone", type: "time_zone", prefill: "time_zone" },
      { name: "money", title: "Currency", type: "currency", default: "EUR" },
      { name: "language", title: "Language", type: "locale", default: "de-AT" },
    ],
    inventory: [{ name: "shelves", title: "Shelves", type: "integer", min: 1, max: 99 }],
    pos: [
      { name: "inclusive", title: "Prices include tax", type: "boolean", default: true },
      { name: "tax", title: "Tax", type: "decimal", default: 0.2, min: 0 },
      {
        name: "week",
        title: "A week begins on",
        type: "choice",
        options: [
          { value: "monday", title: "Monday" },
          { value: "sunday", title: "Sunday" },
        ],
        default: "monday",
      },
      { name: "footer", title: "Last line", type: "text", min: 0, max: 20, default: "" },
    ],
  });
});
afterAll(() => desk.base.drop());
beforeEach(async () => {
  ann = await desk.newcomer();
});

const as = <T>(work: (context: { tx: never; actor: Actor; catalog: Catalog }) => Promise<T>) =>
  desk.as(ann, (tx) => work({ tx: tx as never, actor: ann, catalog }));
const choose = (...features: string[]) => as((context) => saveFeatures(context, features));
const answer = (given: Record<string, Record<string, unknown>>) =>
  as((context) => saveSettings(context, given));
const draft = async () => {
  const found = await desk.as(ann, (tx) => findDraft(tx, ann.id));
  if (!found) throw new Error("There is no draft.");
  return found;
};
const open = async () => firstOpenStep(catalog, (await draft()).answers);
const begin = async (...features: string[]) => {
  await as(async (context) => {
    await saveBusiness(
      context,
      businessAnswer.parse({
        company: "Harbour Bakery",
        contactName: "Ann Example",
        country: "DE",
        region: "eu-central-1",
        timezone: "America/New_York",
      }),
    );
    await savePlan(context, { plan: "growth", billingCycle: "monthly" });
  });
  await choose(...features);
};
const BASE = { company: "Harbour & Sons", zone: "Europe/Vienna", money: "chf", language: "de" };
const POS = { inclusive: "false", tax: "0.190", week: "sunday", footer: "" };
const refusalOf = async (given: Record<string, Record<string, unknown>>) => {
  const error = await answer(given).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(AnswersNotPossibleError);
  return (error as AnswersNotPossibleError).problems.map(
    ({ template, parameter, message }) => `${template}.${parameter}: ${message}`,
  );
};

describe("the step of the settings", () => {
  it("comes after the features, and is none where nothing is asked", async () => {
    expect(stepsOf(catalog, {})).toContain("settings");
    expect(stepsOf(askingOnly(desk.catalog, {}), {})).not.toContain("settings");
    await begin();
    const { answers } = await draft();
    expect(firstOpenStep(catalog, answers)).toBe("settings");
    const quiet = askingOnly(desk.catalog, { pos: [] });
    expect(firstOpenStep(quiet, answers)).toBe("backend");
    expect(stepsOf(quiet, answers)).toEqual(["business", "plan", "features", "backend", "review"]);
  });

  it("cannot be skipped, whatever stands there beforehand, and not be reached too early", async () => {
    await begin();
    await expect(as((context) => leaveToBerth(context))).rejects.toMatchObject({
      step: "settings",
    });
    ann = await desk.newcomer();
    await expect(answer({ base: BASE })).rejects.toThrow(StepNotOpenError);
  });

  it("shows each question by its kind, with what is known beforehand", async () => {
    await begin("pos");
    const features = viewSettings(catalog, (await draft()).answers);
    expect(features.map(({ template }) => template)).toEqual(["base", "inventory", "pos"]);
    const fields = new Map(
      features.flatMap((one) => one.fields.map((field) => [field.name, field])),
    );
    const brief = [...fields.values()].map(({ name, kind, value }) => `${name} ${kind} ${value}`);
    expect(brief).toEqual([
      "base.company text Harbour Bakery",
      "base.zone select America/New_York",
      "base.money select EUR",
      "base.language select de-AT",
      "inventory.shelves integer ",
      "pos.inclusive boolean true",
      "pos.tax decimal 0.2",
      "pos.week radios monday",
      "pos.footer text ",
    ]);
    expect(fields.get("base.company")).toMatchObject({
      help: "On receipts.",
      longest: 40,
      autoComplete: "organization",
    });
    expect(fields.get("inventory.shelves")).toMatchObject({ min: 1, max: 99 });
    expect(fields.get("base.money")?.options[0]).toEqual({ value: "EUR", label: "Euro (EUR)" });
    for (const { kind, value, options } of fields.values()) {
      if (kind !== "select") continue;
      expect(new Set(options.map((option) => option.value)).size).toBe(options.length);
      expect(options.some((option) => option.value === value)).toBe(true);
    }
  });

  it("offers no option that the question refuses", async () => {
    await begin();
    const [base] = viewSettings(catalog, (await draft()).answers);
    for (const asked of catalog.get("base").parameters) {
      const field = base?.fields.find(({ name }) => name === settingField("base", asked.name));
      const refused = field?.options.filter(({ value }) => "problem" in judgeAnswer(asked, value));
      expect(refused, asked.name).toEqual([]);
    }
    // An answer that is right, and in no list, stays what it is.
    await answer({ base: { ...BASE, money: "BGN", language: "gsw" } });
    const [again] = viewSettings(catalog, (await draft()).answers);
    const shown = again?.fields.map(({ value, options }) => [value, options[0]?.value]);
    expect(shown?.slice(2)).toEqual([
      ["BGN", "BGN"],
      ["gsw", "gsw"],
    ]);
  });
});

describe("answers", () => {
  it("stand in the draft as databases get them, in the review in words, and in the request", async () => {
    await begin("pos");
    await answer({ base: BASE, inventory: { shelves: " 012 " }, pos: POS });
    expect(await open()).toBe("backend");
    await as((context) => leaveToBerth(context));
    const kept = {
      base: { company: "Harbour & Sons", zone: "Europe/Vienna", money: "CHF", language: "de" },
      inventory: { shelves: "12" },
      pos: { inclusive: "false", tax: "0.19", week: "sunday", footer: "" },
    };
    expect((await draft()).answers.settings).toEqual(kept);
    const shown = await draft();
    const review = await as((context) => viewReview({ ...context, vault: desk.vault }, shown));
    const words = review.settings.map(({ title, answers }) => [
      title,
      answers.map((one) => `${one.title}: ${one.answer}`),
    ]);
    expect(words).toEqual([
      [
        desk.catalog.get("base").title,
        [
          "Company name: Harbour & Sons",
          "Time zone: Europe/Vienna",
          "Currency: Swiss Franc (CHF)",
          "Language: German",
        ],
      ],
      ["Inventory", ["Shelves: 12"]],
      [
        "Point of sale",
        ["Prices include tax: No", "Tax: 0.19", "A week begins on: Sunday", "Last line: "],
      ],
    ]);
    const seen = { draftId: shown.id, version: shown.version };
    const requestId = await as((context) => submitDraft(context, seen, `${ann.id}@example.com`));
    const { rows } = await desk.base.admin.query(
      "select parameters from provisioning_queue where id = $1",
      [requestId],
    );
    expect(rows[0].parameters).toEqual(kept);
  });

  it("are kept when the features change; what is new is asked before the end", async () => {
    await begin();
    await answer({ base: BASE });
    await as((context) => leaveToBerth(context));
    expect(await open()).toBe("review");
    await choose("pos");
    expect(await open()).toBe("settings");
    const { answers, id, version } = await draft();
    const [base, inventory] = viewSettings(catalog, answers);
    expect(base?.fields[0]?.value).toBe("Harbour & Sons");
    expect(inventory?.fields[0]?.value).toBe("");
    await expect(
      as((context) => submitDraft(context, { draftId: id, version }, "x@example.com")),
    ).rejects.toMatchObject({ step: "settings" });
    await answer({ base: BASE, inventory: { shelves: "3" }, pos: POS });
    expect(await open()).toBe("review");
    // Taken off and chosen again, it need not be answered twice; meanwhile nothing of it goes along.
    await choose();
    expect(await open()).toBe("review");
    const shown = await draft();
    const review = await as((context) => viewReview({ ...context, vault: desk.vault }, shown));
    expect(review.settings.map(({ template }) => template)).toEqual(["base"]);
    await answer({ base: { ...BASE, money: "GBP" } });
    await choose("pos");
    expect(await open()).toBe("review");
    expect((await draft()).answers.settings).toMatchObject({ base: { money: "GBP" } });
    // A newer version of a feature that asks more opens the step again.
    const more = askingOnly(desk.catalog, {
      base: [
        ...catalog.get("base").parameters,
        { name: "added", title: "Added", type: "boolean", default: false },
      ],
    });
    expect(firstOpenStep(more, (await draft()).answers)).toBe("settings");
  });

  it("that are missing, wrong or asked by nobody are refused, and nothing is kept", async () => {
    await begin();
    expect(await refusalOf({})).toEqual([
      "base.company: Fill this in.",
      "base.zone: Fill this in.",
      "base.money: Fill this in.",
      "base.language: Fill this in.",
    ]);
    expect(
      await refusalOf({
        base: { company: " ", zone: "+01:00", money: ["EUR", "USD"], language: "x\u0000" },
      }),
    ).toEqual([
      "base.company: Fill this in.",
      "base.zone: Use a time zone such as Europe/Berlin.",
      "base.money: Answer with a text, a number, true or false.",
      "base.language: Use plain text on one line.",
    ]);
    const strangers: Record<string, Record<string, unknown>>[] = [
      { pos: { inclusive: "true" } },
      { teleport: { speed: "1" } },
      { base: { ...BASE, toString: "x" } },
      { constructor: { name: "x" } },
    ];
    for (const strange of strangers) {
      expect(await refusalOf({ base: BASE, ...strange })).toEqual([
        expect.stringMatching(/: This feature (is not among|does not ask)/),
      ]);
    }
    expect((await draft()).answers.settings).toBeUndefined();
  });

  it("are of the account's own draft alone", async () => {
    await begin();
    await answer({ base: BASE });
    const owner = ann;
    ann = await desk.newcomer();
    await begin();
    await answer({ base: { ...BASE, money: "USD" } });
    const theirs = await desk.as(owner, (tx) => findDraft(tx, owner.id));
    expect(theirs?.answers.settings?.base?.money).toBe("CHF");
  });

  it("that an earlier release wrote in another shape open the step again", async () => {
    await begin();
    await answer({ base: BASE });
    for (const settings of ['"all"', '{"base": "all"}', '{"base": {"money": 3}}', "[]", "null"]) {
      await desk.base.admin.query(
        "update onboarding_drafts set answers = answers || jsonb_build_object('settings', $2::jsonb) where user_id = $1",
        [ann.id, settings],
      );
      expect(await open(), settings).toBe("settings");
    }
  });
});

describe("a form", () => {
  const form = (...fields: [string, string][]) => {
    const data = new FormData();
    for (const [name, value] of fields) data.append(name, value);
    return readSettings(data);
  };

  it("gives what has a point in its name; a box that is not ticked says no", () => {
    expect(
      form(
        ["asked", "pos.inclusive"],
        ["asked", "pos.rounded"],
        ["pos.rounded", "true"],
        ["base.money", "EUR"],
        ["role", "admin"],
      ),
    ).toEqual({ pos: { inclusive: "false", rounded: "true" }, base: { money: "EUR" } });
  });

  it("that says a thing twice says nothing", () => {
    expect(form(["base.money", "EUR"], ["base.money", "USD"])).toEqual({
      base: { money: ["EUR", "USD"] },
    });
  });

  it("with a second point in a name answers what nobody asks", () => {
    expect(form(["base.money.x", "EUR"], [".x", "1"])).toEqual({
      base: { "money.x": "EUR" },
      "": { x: "1" },
    });
  });

  it("shows what its page lacks and what is no longer asked", async () => {
    await begin("pos");
    const fields = viewSettings(catalog, (await draft()).answers).flatMap((one) => one.fields);
    const data = new FormData();
    for (const { name, kind } of fields) {
      if (name === "pos.footer") continue;
      if (kind === "boolean") data.append("asked", name);
      else if (kind === "radios") data.append("shown", name);
      else data.append(name, "x");
    }
    data.append("gone.one", "x");
    data.append("role", "admin");
    expect(behindOf(data, fields)).toMatchObject({ added: 1, gone: 1 });
  });

  it("changes no prototype", () => {
    const given = form(["constructor.name", "x"], ["__proto__.polluted", "x"]);
    expect(Object.hasOwn(given, "constructor")).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("in words", () => {
  it("what is not asked any more stands as it was answered", () => {
    expect(
      tellAnswers(catalog, {
        gone: { size: "3" },
        pos: { inclusive: "true", colour: "red", week: "friday" },
        base: { money: "not a code", language: "!", zone: "America/New_York" },
      }).map(({ title, answers }) => [title, answers.map((one) => `${one.title}: ${one.answer}`)]),
    ).toEqual([
      [
        desk.catalog.get("base").title,
        ["Time zone: America/New York", "Currency: not a code (not a code)", "Language: !"],
      ],
      ["Point of sale", ["Prices include tax: Yes", "A week begins on: friday", "colour: red"]],
      ["gone", ["size: 3"]],
    ]);
    expect(tellAnswers(catalog, {})).toEqual([]);
  });

  it("money has its currency's decimals", () => {
    const asking = askingOnly(desk.catalog, {
      pos: [{ name: "limit", title: "Limit", type: "decimal", unit: "currency" }],
    });
    const told = (limit: string, currency?: string) =>
      tellAnswers(asking, { pos: { limit }, ...(currency && { base: { currency } }) })
        .find(({ template }) => template === "pos")
        ?.answers[0]?.answer.replace(/\u00a0/g, " ");
    expect(told("12.5", "EUR")).toBe("EUR 12.50");
    expect(told("1250", "JPY")).toBe("JPY 1,250");
    expect(told("0.125", "CHF")).toBe("CHF 0.125");
    expect(told("12.5")).toBe("12.5");
    expect(told("much", "EUR")).toBe("much");
  });
});

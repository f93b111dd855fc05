/** What a customer answered, when a run comes to use it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { base, load, manifest, removeFolders } from "../catalog/template-folders.ts";
import { answersFor, givenOf } from "./answers.ts";
import { runStep, type Site } from "./steps.ts";

const QUESTIONS = `
  - { name: company_name, type: text, title: The company's name, prefill: company }
  - { name: currency, type: currency, title: Currency, default: EUR }`;
const FACTS = { company: "Rope & Sail", country: "", timeZone: "Europe/Zurich" };

let catalog: Catalog;
beforeAll(async () => {
  catalog = await load({
    ...base,
    "base/template.yaml": manifest("base", { parameters: QUESTIONS }),
    "point-of-sale/template.yaml": manifest("point-of-sale", {
      parameters: "[{ name: rounding, type: decimal, title: Rounding, min: 0, max: 1 }]",
    }),
    "point-of-sale/migrations/20260301000100_start.sql": "select 1;\n",
  });
});
afterAll(removeFolders);

describe("the answers of a run", () => {
  it("are those given, and for a question of a later version what stands there beforehand", () => {
    const parameters = { base: { currency: "chf" } };
    expect(answersFor(catalog, ["base"], { parameters, facts: FACTS })).toEqual({
      settings: { "berth.base.company_name": "Rope & Sail", "berth.base.currency": "CHF" },
      problems: [],
    });
  });

  it("leave out what nobody asks any more, of a template or altogether", () => {
    const parameters = {
      base: { currency: "CHF", colour: "red" },
      gone: { speed: "1" },
      "point-of-sale": { rounding: "0.05" },
    };
    const { settings, problems } = answersFor(catalog, ["base"], { parameters, facts: FACTS });
    expect(Object.keys(settings)).toEqual(["berth.base.company_name", "berth.base.currency"]);
    expect(problems).toEqual([]);
    const both = answersFor(catalog, ["base", "point-of-sale"], { parameters, facts: FACTS });
    expect(both.settings["berth.point_of_sale.rounding"]).toBe("0.05");
  });

  it("that a template refuses end the run before it begins, and are not told", async () => {
    const parameters = { base: { currency: "Silbergroschen" } };
    const names = ["base", "point-of-sale"];
    const { settings, problems } = answersFor(catalog, names, { parameters, facts: FACTS });
    expect(settings).toEqual({ "berth.base.company_name": "Rope & Sail" });
    const site = {
      catalog,
      templates: names,
      answerProblems: problems,
      differing: new Set(),
      session: () => Promise.reject(new Error("A session was opened.")),
    } as unknown as Site;
    const [file] = catalog.get("base").migrations;
    const steps = [
      { name: "Preflight", kind: "preflight" },
      { name: "start", kind: "sql", template: "base", file: file?.path, checksum: file?.checksum },
    ] as const;
    for (const step of steps) {
      const error = await runStep(site, step as never).then(
        () => null,
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ code: "answers_refused", retryable: false });
      expect(error.found).toMatch(/Currency: base 1\.0\.0 does not take .*three letters/);
      expect(error.found).toContain("The point-of-sale template: Rounding");
      expect(error.needed && error.fix).toBeTruthy();
      expect(JSON.stringify(error) + String(error)).not.toContain("Silbergroschen");
    }
  });
});

describe("what a request has", () => {
  let desk: Desk;
  beforeAll(async () => {
    desk = await openDesk();
  });
  afterAll(() => desk?.base.drop());

  it("is read with what is known of its customer anyway", async () => {
    const { id } = await desk.request({ company: "Rope & Sail", timezone: "Europe/Zurich" });
    await desk.plant(id, { parameters: JSON.stringify({ base: { currency: "CHF" } }) });
    expect(await desk.as(desk.worker, (tx) => givenOf(tx, id))).toEqual({
      parameters: { base: { currency: "CHF" } },
      facts: FACTS,
    });
  });
});

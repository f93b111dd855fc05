/** Which answers of a request can still be corrected, and to what. */
import { v7 as uuidv7 } from "uuid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { claimRequest } from "../queue/index.server.ts";
import {
  AnswersNotPossibleError,
  correctionInput,
  correctSettings,
  SettingsClosedError,
  viewCorrection,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

const view = (id: string) =>
  desk.as(desk.kim, (tx) => viewCorrection({ tx, catalog: desk.catalog }, id));
const correct = async (id: string, given: Record<string, Record<string, unknown>>) => {
  const { seen } = await view(id);
  const { kim: actor, catalog } = desk;
  await desk.as(actor, (tx) => correctSettings({ tx, actor, catalog }, id, given, seen));
};
const claimed = async (wish: Record<string, unknown> = {}) => {
  const { id } = await desk.request(wish);
  await desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
  return id;
};
const parametersOf = async (id: string) => {
  const { rows } = await desk.base.admin.query(
    "select parameters from provisioning_queue where id = $1",
    [id],
  );
  return rows[0].parameters;
};
/** A run in the request's project, with these seed steps. */
async function plantRun(
  id: string,
  seeds: {
    template: string;
    status: string;
    attempts?: number;
    error?: unknown;
    outcome?: unknown;
    checksum?: string;
  }[],
) {
  const { admin } = desk.base;
  const projectRef = `ref-${id.slice(-12)}`;
  await admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     select gen_random_uuid(), customer_id, id, $2, 'https://x', 'building'
     from provisioning_queue where id = $1
       and not exists (select from customer_backends where project_ref = $2)`,
    [id, projectRef],
  );
  const run = await admin.query(
    `insert into provisioning_runs (id, request_id, backend_id, status, templates)
     select $3, $1, id, 'failed', '{}' from customer_backends where project_ref = $2
     returning id`,
    [id, projectRef, uuidv7()],
  );
  for (const [
    position,
    { template, status, attempts, error, outcome, ...seed },
  ] of seeds.entries()) {
    const checksum = seed.checksum ?? desk.catalog.get(template).seed?.checksum;
    await admin.query(
      `insert into provisioning_steps (id, run_id, position, name, kind, status, template, file, attempts, error, outcome, checksum)
       values (gen_random_uuid(), $1, $2, $3 || ': seed data', 'seed', $4, $3, $3 || '/seed.sql', $5, $6, $7, $8)`,
      [
        run.rows[0].id,
        position,
        template,
        status,
        attempts ?? 1,
        error ?? null,
        outcome ?? null,
        checksum,
      ],
    );
  }
}
const failed = (code: string, attempts = 1) => ({
  template: "base",
  status: "failed",
  attempts,
  error: { code, message: "No." },
});
const namesOf = (features: { template: string }[]) => features.map(({ template }) => template);

describe("it is too late to correct", () => {
  it("for a feature whose seed is in the project, and for no other", async () => {
    const id = await claimed();
    await plantRun(id, [
      { template: "base", status: "done" },
      { ...failed("sql_step_failed"), template: "pos" },
    ]);
    await desk.plant(id, { status: "failed" });
    const { open, closed, unknown } = await view(id);
    expect([open, closed, unknown].map(namesOf)).toEqual([["pos"], ["base"], []]);
    const refused = await correct(id, {
      base: { currency: "USD" },
      pos: { receipt_footer: "Bye" },
    }).catch((error) => error);
    expect(refused).toBeInstanceOf(SettingsClosedError);
    expect(refused.message).toMatch(/^The settings of .+ are in the customer's project already/);
    // The same answer as before corrects nothing, however it is written.
    const { base } = await parametersOf(id);
    await correct(id, { base: { ...base, currency: "eur" }, pos: { receipt_footer: "Bye" } });
    expect(await parametersOf(id)).toMatchObject({ base, pos: { receipt_footer: "Bye" } });
    // What nobody asks is wrong whether or not it is too late.
    await expect(correct(id, { base: { colour: "red" } })).rejects.toThrow(AnswersNotPossibleError);
  });

  it.each([
    ["left by a run that ended outside its steps", { template: "base", status: "running" }],
    ["of which the ledger could not be read", failed("step_outcome_unknown")],
    ["taken over by a worker that could not connect", failed("database_password", 2)],
  ])("where a seed may be there: %s", async (_, seed) => {
    const id = await claimed();
    await plantRun(id, [seed]);
    // A later run that could not connect learnt nothing.
    await plantRun(id, [failed("database_connection_lost")]);
    await desk.plant(id, { status: "failed" });
    const { open, closed, unknown } = await view(id);
    expect([open, closed, unknown].map(namesOf)).toEqual([["pos"], [], ["base"]]);
    const refused = await correct(id, { base: { currency: "USD" } }).catch((error) => error);
    expect(refused).toBeInstanceOf(SettingsClosedError);
    expect(refused.message).toContain("may be in the customer's project already; nobody knows yet");
    await plantRun(id, [failed("sql_step_failed", 2)]);
    expect(namesOf((await view(id)).open)).toEqual(["base", "pos"]);
  });

  it("for good once it was there, and not where a first attempt failed", async () => {
    const id = await claimed();
    await plantRun(id, [failed("database_password")]);
    expect(namesOf((await view(id)).open)).toEqual(["base", "pos"]);
    await plantRun(id, [{ template: "base", status: "done" }]);
    await plantRun(id, [failed("sql_step_failed")]);
    expect(namesOf((await view(id)).closed)).toEqual(["base"]);
  });

  it("unless the feature's version has another seed, which runs again", async () => {
    const id = await claimed();
    await plantRun(id, [{ template: "base", status: "done", checksum: "of an older seed" }]);
    await desk.plant(id, { status: "failed" });
    const { open, closed } = await view(id);
    expect(open).toMatchObject([
      { template: "base", isBuiltIn: true },
      { template: "pos", isBuiltIn: false },
    ]);
    expect(closed).toEqual([]);
    await correct(id, { base: { currency: "USD" } });
    expect((await parametersOf(id)).base.currency).toBe("USD");
  });

  it("where nobody knows whether the seed is there, until a later run has found out", async () => {
    const id = await claimed();
    await plantRun(id, [failed("step_outcome_unknown")]);
    await plantRun(id, [
      { template: "pos", status: "failed", error: null, outcome: { outcome: "unknown" } },
    ]);
    await desk.plant(id, { status: "failed" });
    expect((await view(id)).open).toEqual([]);
    await plantRun(id, [failed("sql_step_failed")]);
    expect((await view(id)).open.map(({ template }) => template)).toEqual(["base"]);
  });

  it("but not in a project that was given up for another one", async () => {
    const id = await claimed();
    await plantRun(id, [{ template: "base", status: "done" }]);
    await desk.base.admin.query(
      "update customer_backends set status = 'retired' where request_id = $1",
      [id],
    );
    await desk.plant(id, { status: "failed" });
    await correct(id, { base: { currency: "USD" } });
    expect((await parametersOf(id)).base.currency).toBe("USD");
  });

  it("except of an answer that stops every run", async () => {
    const id = await claimed();
    const parameters = await parametersOf(id);
    const wrong = { ...parameters, base: { ...parameters.base, currency: "Silbergroschen" } };
    await desk.plant(id, { status: "failed", parameters: JSON.stringify(wrong) });
    await plantRun(id, [{ template: "base", status: "done" }]);
    expect((await view(id)).open).toMatchObject([
      { template: "base", isBuiltIn: true },
      { template: "pos", isBuiltIn: false },
    ]);
    await correct(id, { base: { currency: "EUR" } });
    expect((await view(id)).open.map(({ template }) => template)).toEqual(["pos"]);
  });
});

describe("the page of a correction", () => {
  it("asks what the wizard asked, with the present answers, and where there is none what a run would take", async () => {
    const id = await claimed({ company: "Rope & Sail" });
    await desk.plant(id, { parameters: JSON.stringify({ base: { currency: "CHF" } }) });
    const { open, closed, currency, seen } = await view(id);
    expect([closed, currency]).toEqual([[], "CHF"]);
    expect(seen.version).toBeGreaterThan(1);
    const values = open.flatMap(({ fields }) => fields.map(({ name, value }) => [name, value]));
    expect(Object.fromEntries(values)).toMatchObject({
      "base.company_name": "Rope & Sail",
      "base.currency": "CHF",
      "base.locale": "en",
      "pos.staff_refund_limit": "0",
    });
    // "Step 1" is the customer's.
    expect(open.flatMap(({ fields }) => fields).some(({ isKnown }) => isKnown)).toBe(false);
  });
});

describe("what is given", () => {
  it.each<[string, Record<string, Record<string, unknown>>, string[]]>([
    [
      "what no feature takes",
      { base: { currency: "XYZ1", company_name: " ", time_zone: "Mars/Base" } },
      ["company_name", "currency", "time_zone"],
    ],
    ["a list", { base: { currency: ["EUR", "USD"] } }, ["currency"]],
    ["nothing", { base: { currency: null } }, ["currency"]],
    ["an object", { base: { currency: { $gt: "" } } }, ["currency"]],
    ["a NUL", { base: { company_name: "a\u0000b" } }, ["company_name"]],
    ["a text without end", { base: { company_name: "x".repeat(4_000) } }, ["company_name"]],
    ["a number without end", { pos: { staff_refund_limit: "1e999" } }, ["staff_refund_limit"]],
    [
      "what nobody asks",
      { base: { role: "supervisor" }, constructor: { prototype: "x" } },
      ["role", "prototype"],
    ],
    [
      "an answer to a feature that is not chosen",
      { analytics: { week_start: "monday" } },
      ["week_start"],
    ],
  ])("that is %s is refused, question by question", async (_, given, names) => {
    const id = await claimed();
    const parameters = await parametersOf(id);
    const refused = await correct(id, given).catch((error) => error);
    expect(refused).toBeInstanceOf(AnswersNotPossibleError);
    expect(refused.problems.map((one: { parameter: string }) => one.parameter)).toEqual(names);
    expect(await parametersOf(id)).toEqual(parameters);
  });

  it("is all that is written, although the other questions have presets", async () => {
    const id = await claimed();
    const trace = "select data from request_events where request_id = $1 and kind like '%correct%'";
    const { base, pos } = await parametersOf(id);
    await desk.plant(id, { parameters: JSON.stringify({ pos }) });
    await correct(id, { pos });
    expect((await desk.base.admin.query(trace, [id])).rows).toEqual([]);
    await correct(id, { pos: { receipt_footer: "Bye" }, base: {} });
    expect(await parametersOf(id)).toEqual({ pos: { ...pos, receipt_footer: "Bye" } });
    await correct(id, { base: { currency: base.currency } });
    expect((await desk.base.admin.query(trace, [id])).rows.map(({ data }) => data)).toEqual([
      { answers: ["pos.receipt_footer"] },
      { answers: ["base.currency"] },
    ]);
  });

  it("is taken as text, whatever it looks like", async () => {
    const id = await claimed();
    const name = "'; drop table provisioning_queue; -- <script>";
    await correct(id, { base: { company_name: name } });
    expect((await parametersOf(id)).base.company_name).toBe(name);
  });

  it("by the API has bounds, and a version", () => {
    const parameters = { base: { currency: "EUR" } };
    expect(correctionInput.safeParse({ version: 3, parameters }).success).toBe(true);
    for (const wrong of [
      { parameters },
      { version: "3", parameters },
      { version: 0, parameters },
      { version: 2 ** 31, parameters },
      { version: 3 },
      { version: 3, parameters: [] },
      { version: 3, parameters: { base: { currency: null } } },
      { version: 3, parameters: { base: { currency: "x".repeat(4_001) } } },
      { version: 3, parameters, assigneeId: "kim" },
    ]) {
      expect(correctionInput.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { askingOnly } from "../../../tests/support/questions.ts";
import { ChoiceNotPossibleError } from "../catalog/index.server.ts";
import {
  AnswersNotPossibleError,
  findCustomers,
  newCustomerInput,
  submitRequest,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());

let people = 0;
const wish = (change: Record<string, unknown> = {}) => {
  people += 1;
  return newCustomerInput.parse({
    company: `Company ${people}`,
    contactName: "Ann Example",
    email: `person-${people}@example.com`,
    country: "DE",
    region: "eu-central-1",
    plan: "business",
    billingCycle: "monthly",
    features: [],
    ...change,
  });
};
const submit = (change: Record<string, unknown> = {}) =>
  desk.as(desk.kim, (tx) =>
    submitRequest({ tx, actor: desk.kim, catalog: desk.catalog }, wish(change)),
  );
const find = (email: string) => desk.as(desk.kim, (tx) => findCustomers(tx, email));
const select = async (text: string, values: unknown[] = []) =>
  (await desk.base.admin.query(text, values)).rows;
const problemsOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => [],
    (error) => {
      expect(error).toBeInstanceOf(ChoiceNotPossibleError);
      return error.problems;
    },
  );

describe("what the features ask", () => {
  const ask = (change: Record<string, unknown>) =>
    desk.as(desk.kim, (tx) =>
      submitRequest(
        {
          tx,
          actor: desk.kim,
          catalog: askingOnly(desk.catalog, {
            base: [
              { name: "owner", title: "Owner", type: "text", min: 1, max: 20, prefill: "company" },
              { name: "zone", title: "Zone", type: "time_zone", prefill: "time_zone" },
              { name: "money", title: "Money", type: "currency", default: "EUR" },
            ],
            pos: [
              { name: "tax", title: "Tax", type: "decimal", min: 0, max: 1 },
              { name: "inclusive", title: "Inclusive", type: "boolean", default: true },
            ],
          }),
        },
        wish(change),
      ),
    );
  const refusalOf = async (change: Record<string, unknown>) => {
    const error = await ask(change).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AnswersNotPossibleError);
    return (error as AnswersNotPossibleError).problems.map(
      ({ template, parameter, message }) => `${template}.${parameter}: ${message}`,
    );
  };

  it("is kept as text with the request; what is left out is what stands there beforehand", async () => {
    const { request } = await ask({
      company: "Asked Ltd",
      timezone: "Asia/Tokyo",
      features: ["pos"],
      parameters: { base: { money: "usd" }, pos: { tax: 0.2, inclusive: false } },
    });
    const [row] = await select("select parameters from provisioning_queue where id = $1", [
      request.id,
    ]);
    expect(row.parameters).toEqual({
      base: { owner: "Asked Ltd", zone: "Asia/Tokyo", money: "USD" },
      pos: { tax: "0.2", inclusive: "false" },
    });
  });

  it("must be answered where nothing stands there, and by what the question takes", async () => {
    expect(await refusalOf({ features: ["pos"] })).toEqual(["pos.tax: Fill this in."]);
    // What fits no field leaves it to be answered.
    expect(await refusalOf({ company: "A company whose name is long" })).toEqual([
      "base.owner: Fill this in.",
    ]);
    expect(
      await refusalOf({
        parameters: { base: { money: "shells", zone: "Mars/Olympus", owner: "two\nlines" } },
      }),
    ).toEqual([
      "base.owner: Use plain text on one line.",
      "base.zone: Use a time zone such as Europe/Berlin.",
      "base.money: Use a currency's three letters, such as EUR.",
    ]);
  });

  it("is no more than they ask", async () => {
    const wrong: Record<string, Record<string, unknown>>[] = [
      { base: { colour: "red" } },
      { teleport: { speed: 1 } },
      { base: { constructor: "x" } },
      // Not chosen.
      { pos: { tax: 0.2 } },
    ];
    for (const parameters of wrong) {
      const [name] = Object.keys(parameters);
      expect(await refusalOf({ parameters }), name).toEqual([
        expect.stringMatching(/This feature (is not among|does not ask)/),
      ]);
    }
    expect((await ask({ company: "Nothing said" })).request.features).toEqual(["base"]);
  });
});

describe("what a customer may choose", () => {
  it("comes with what it needs, in the order in which it is applied, once", async () => {
    const featuresOf = async (...features: string[]) =>
      (await submit({ plan: "enterprise", features })).request.features;
    expect(await featuresOf()).toEqual(["base"]);
    expect(await featuresOf("pos")).toEqual(["base", "inventory", "pos"]);
    expect(await featuresOf("pos", "analytics", "base", "pos", "inventory")).toEqual([
      "base",
      "inventory",
      "pos",
      "analytics",
    ]);
  });

  it("is what the plan includes", async () => {
    expect(await problemsOf(submit({ plan: "starter", features: ["pos", "analytics"] }))).toEqual([
      { field: "features", message: "The plan Starter does not include Point of sale." },
      { field: "features", message: "The plan Starter does not include Analytics." },
    ]);
    expect(await problemsOf(submit({ plan: "growth", features: ["analytics"] }))).toHaveLength(1);
    expect(await problemsOf(submit({ plan: "starter", features: ["inventory"] }))).toEqual([]);
  });

  it("is what there is", async () => {
    expect(await problemsOf(submit({ plan: "platinum" }))).toEqual([
      {
        field: "plan",
        message: "There is no such plan. Choose one of: starter, growth, business, enterprise.",
      },
    ]);
    for (const name of ["teleport", "constructor", "__proto__", "../base"]) {
      expect(await problemsOf(submit({ features: [name] }))).toEqual([
        { field: "features", message: `There is no feature called "${name}".` },
      ]);
    }
  });

  it("is what a supervisor has not switched off, also as something that another needs", async () => {
    const set = (name: string, active: boolean) =>
      desk.base.admin.query("update feature_templates set active = $2 where name = $1", [
        name,
        active,
      ]);
    await set("inventory", false);
    expect(await problemsOf(submit({ features: ["pos"] }))).toEqual([
      { field: "features", message: "Inventory is not offered at present." },
    ]);
    expect(await problemsOf(submit({ features: ["analytics"] }))).toEqual([]);
    await set("inventory", true);
    expect(await problemsOf(submit({ features: ["pos"] }))).toEqual([]);
    await desk.base.admin.query("update plans set active = false where id = 'growth'");
    expect((await problemsOf(submit({ plan: "growth" })))[0]?.message).not.toContain("growth");
    await desk.base.admin.query("update plans set active = true");
  });

  it("leaves nothing behind where it cannot be had", async () => {
    await problemsOf(submit({ email: "refused@example.com", features: ["teleport"] }));
    expect(await find("refused@example.com")).toEqual([]);
    expect(await select(`select 1 from auth."user" where email = 'refused@example.com'`)).toEqual(
      [],
    );
  });
});

describe("who a customer is", () => {
  it("is its address and its company, in any case of letters", async () => {
    const first = await submit({
      company: "Twice Ltd",
      email: "twice@example.com",
      phone: "12345",
    });
    const again = await submit({
      company: "TWICE LTD",
      email: "Twice@Example.com",
      contactName: "Bea New",
      country: "FR",
    });
    expect(again.customerId).toBe(first.customerId);
    expect(again.request.id).not.toBe(first.request.id);
    const other = await submit({ company: "Another Ltd", email: "twice@example.com" });
    expect(other.customerId).not.toBe(first.customerId);
    const elsewhere = await submit({ company: "Twice Ltd", email: "else@example.com" });
    expect(elsewhere.customerId).not.toBe(first.customerId);
    const [customer] = await select("select * from customers where id = $1", [first.customerId]);
    expect(customer).toMatchObject({
      company: "Twice Ltd",
      contact_name: "Bea New",
      country: "FR",
      phone: null,
    });
    const actions = await select("select action from audit_log where subject_id = $1 order by id", [
      first.customerId,
    ]);
    expect(actions.map(({ action }) => action)).toEqual(["customer.create", "customer.update"]);
    const found = await find("TWICE@example.com");
    expect(found.map((one) => [one.customerId, one.requests.length])).toEqual([
      [first.customerId, 2],
      [other.customerId, 1],
    ]);
    expect(found[0]?.requests[0]).toEqual({
      requestId: first.request.id,
      status: "pending",
      position: expect.any(Number),
      dueAt: first.request.dueAt?.toISOString(),
    });
  });

  it("is one, when it is taken in many times at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, () => submit({ company: "At Once", email: "once@example.com" })),
    );
    expect(new Set(made.map(({ customerId }) => customerId)).size).toBe(1);
    expect(new Set(made.map(({ request }) => request.id)).size).toBe(12);
    const accounts = await select(`select 1 from auth."user" where email = 'once@example.com'`);
    expect(accounts).toHaveLength(1);
  });

  it("gets an account once, and links to set its password until it has one", async () => {
    const mailsOf = (requestId: string) =>
      select("select * from outbox where request_id = $1", [requestId]);
    const first = await submit({ email: "linked@example.com" });
    const [mail] = await mailsOf(first.request.id);
    expect(mail).toMatchObject({
      kind: "received",
      recipient: "linked@example.com",
      status: "waiting",
      data: { linkPurpose: "set-password", linkId: expect.any(String) },
    });
    const [link] = await select("select * from one_time_links where id = $1", [mail.data.linkId]);
    const [account] = await select(`select * from auth."user" where email = 'linked@example.com'`);
    expect(link).toMatchObject({
      purpose: "set-password",
      subject_id: account.id,
      request_id: first.request.id,
      used_at: null,
    });
    expect(await select("select 1 from auth.account where user_id = $1", [account.id])).toEqual([]);
    // The first link may have expired or died with its mail.
    const second = await submit({ email: "linked@example.com" });
    const [again] = await mailsOf(second.request.id);
    expect(again.data).toEqual({ linkPurpose: "set-password", linkId: expect.any(String) });
    expect(again.data.linkId).not.toBe(link.id);
    const accounts = await select(`select 1 from auth."user" where email = 'linked@example.com'`);
    expect(accounts).toHaveLength(1);
    await desk.base.admin.query(
      `insert into auth.account (id, user_id, account_id, provider_id, password)
       values ('linked', $1, $1, 'credential', 'hash')`,
      [account.id],
    );
    await desk.base.admin.query(`update auth."user" set email_verified = true where id = $1`, [
      account.id,
    ]);
    const third = await submit({ email: "linked@example.com" });
    expect((await mailsOf(third.request.id))[0].data).toEqual({});
  });

  it("is in no record but by its id", async () => {
    const { request } = await submit({
      company: "Canary Company",
      contactName: "Canary Person",
      email: "canary@example.com",
      phone: "+49 (30) 42-42-42",
    });
    const rows = await select(
      `select a::text as text from audit_log a union all select e::text from request_events e
       union all select data::text from pgboss.job`,
    );
    expect(rows.some(({ text }) => text.includes(request.id))).toBe(true);
    expect(rows.filter(({ text }) => /canary|42-42-42/i.test(text))).toEqual([]);
  });
});

describe("a request", () => {
  it.each([
    ["starter", "normal", 72],
    ["growth", "normal", 48],
    ["business", "normal", 24],
    ["enterprise", "normal", 12],
    ["enterprise", "vip", 3],
    ["starter", "low", 108],
    ["business", "high", 12],
  ])(
    "on the plan %s with priority %s is promised within %i hours",
    async (plan, priority, hours) => {
      const { request } = await submit({ plan, priority });
      expect(request).toMatchObject({
        status: "pending",
        planId: plan,
        priority,
        assigneeId: null,
      });
      expect((request.dueAt?.getTime() ?? 0) - request.createdAt.getTime()).toBe(hours * 3_600_000);
    },
  );
});

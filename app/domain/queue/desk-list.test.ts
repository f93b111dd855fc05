import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { RUN_CANCELLED } from "../provisioning/cancel-run.ts";
import { assigneeName, countDesk, deskChoices, listDesk, readDeskFilter } from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());
beforeEach(() =>
  desk.base.admin.query(`truncate provisioning_queue, customers, request_events,
    request_clock_segments, customer_backends, outbox, one_time_links, provisioning_runs, provisioning_steps, drift_acceptances,
    onboarding_drafts`),
);

const staff = () => ({ ...desk.kim, kind: "staff" as const });
const page = (query = "") => {
  const { filter } = readDeskFilter(new URLSearchParams(query), "kim");
  return desk.as(staff(), (tx) => listDesk(tx, filter));
};
const counts = () => desk.as(staff(), (tx) => countDesk(tx));
const exactly = (count: number) => ({ count, isMore: false });
const companies = async (query = "") => (await page(query)).rows.map(({ company }) => company);

/** A request of a company, with columns of its own. */
async function request(company: string, columns: Record<string, unknown> = {}, wish = {}) {
  const { id } = await desk.request({ company, ...wish });
  if (Object.keys(columns).length > 0) await desk.plant(id, columns);
  return id;
}
const hours = (n: number) => new Date(Date.now() + n * 3_600_000);

describe("the list", () => {
  it("shows what is open, the oldest promise first, paused ones last", async () => {
    await request("Later", { due_at: hours(20) });
    await request("Paused", { due_at: null, status: "waiting_on_customer", assignee_id: "lou" });
    await request("Building", { due_at: hours(9), status: "migrating" });
    await request("Late", { due_at: hours(-1) });
    await request("Done", { status: "completed", due_at: hours(-9), ended_at: hours(-10) });
    const { rows, order, nextCursor, previousCursor } = await page();
    expect(rows.map(({ company, dueState }) => [company, dueState])).toEqual([
      ["Late", "late"],
      ["Building", "fine"],
      ["Later", "fine"],
      ["Paused", "paused"],
    ]);
    expect([order, nextCursor, previousCursor]).toEqual(["due", null, null]);
    expect(rows[3]?.assignee).toEqual({ id: "lou", name: "Lou" });
  });

  it("narrows by each of its filters, and by all of them at once", async () => {
    await request(
      "Alpha",
      { due_at: hours(1), priority: "vip" },
      { plan: "starter", features: ["inventory"] },
    );
    await request("Beta", { due_at: hours(2), assignee_id: "kim", status: "in_progress" });
    await request(
      "Gamma",
      { due_at: hours(3), assignee_id: "lou", status: "failed" },
      { region: "us-east-1" },
    );
    expect(await companies("status=failed,in_progress")).toEqual(["Beta", "Gamma"]);
    expect(await companies("priority=vip,low")).toEqual(["Alpha"]);
    expect(await companies("plan=business")).toEqual(["Beta", "Gamma"]);
    expect(await companies("region=us-east-1")).toEqual(["Gamma"]);
    expect(await companies("assignee=me")).toEqual(["Beta"]);
    expect(await companies("assignee=lou")).toEqual(["Gamma"]);
    expect(await companies("assignee=none")).toEqual(["Alpha"]);
    const all = "status=failed&priority=normal&plan=business&region=us-east-1&assignee=lou&q=gam";
    expect(await companies(all)).toEqual(["Gamma"]);
    expect(await companies(`${all}&due=late`)).toEqual([]);
  });

  it("tells a run that a person cancelled from a failure", async () => {
    const failure = (code: string) => ({ code, message: "It ended." });
    await request("Waits", { due_at: hours(1) });
    await request("Broken", { due_at: hours(2), status: "failed", failure: failure("drift") });
    await request("Bare", { due_at: hours(3), status: "failed" });
    await request("Aside", {
      due_at: hours(4),
      status: "failed",
      failure: failure(RUN_CANCELLED),
    });
    for (const [query, found] of [
      ["status=failed", ["Broken", "Bare"]],
      ["status=run_cancelled", ["Aside"]],
      ["status=failed,run_cancelled", ["Broken", "Bare", "Aside"]],
      ["status=pending,failed", ["Waits", "Broken", "Bare"]],
      ["status=pending,run_cancelled", ["Waits", "Aside"]],
      ["status=run_cancelled,cancelled", ["Aside"]],
      ["status=run_cancelled&due=late", []],
      ["", ["Waits", "Broken", "Bare", "Aside"]],
    ] as const) {
      expect(await companies(query), query).toEqual(found);
    }
    expect(await companies("status=all")).toHaveLength(4);
  });

  it("knows what is soon and what is late, and counts both", async () => {
    // Business, normal: 24 hours are promised; soon begins with 6 left.
    await request("Fine", { due_at: hours(7) });
    await request("Soon", { due_at: hours(5) });
    await request("Late", { due_at: hours(-2) });
    await request("Paused", { due_at: null, status: "waiting_on_customer" });
    await request("Done", { due_at: hours(-2), status: "completed", ended_at: hours(-1) });
    expect(await companies("due=soon")).toEqual(["Soon"]);
    expect(await companies("due=late")).toEqual(["Late"]);
    expect(await counts()).toEqual({ waiting: exactly(3), soon: exactly(1), late: exactly(1) });
  });

  it("counts up to 1,000, and says where there are more", async () => {
    await request("Fine", { due_at: hours(7) });
    await desk.base.admin.query(`
      insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, due_at)
      select gen_random_uuid(), customer_id, plan_id, billing_cycle, region, features, priority,
        berth_now() - interval '1 hour'
      from provisioning_queue, generate_series(1, 1000)`);
    expect(await counts()).toEqual({
      waiting: { count: 1_000, isMore: true },
      soon: exactly(0),
      late: exactly(1_000),
    });
  });

  it("lists what ended by its end, newest first, by window and by promise", async () => {
    const completed = (company: string, endedAt: string, dueAt: string) =>
      request(company, { status: "completed", ended_at: endedAt, due_at: dueAt });
    await completed("Early", "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z");
    await completed("Broken", "2026-03-03T12:00:00Z", "2026-03-03T00:00:00Z");
    await completed("Edge", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z");
    await request("Cancelled", { status: "cancelled", ended_at: "2026-03-04T00:00:00Z" });
    expect(await companies("status=completed,cancelled")).toEqual([
      "Edge",
      "Cancelled",
      "Broken",
      "Early",
    ]);
    expect(await companies("promise=kept")).toEqual(["Edge", "Early"]);
    expect(await companies("promise=broken")).toEqual(["Broken"]);
    // From is inclusive, to is not.
    expect(await companies("completedFrom=2026-03-01T12:00:00Z&completedTo=2026-03-05")).toEqual([
      "Broken",
      "Early",
    ]);
    expect(await companies("completedFrom=2026-03-05")).toEqual(["Edge"]);
  });

  it("finds what arrived and what failed in a window, each once", async () => {
    const old = await request("Old", { created_at: "2026-03-01T00:00:00Z" });
    await request("New", { created_at: "2026-03-09T00:00:00Z" });
    for (const [kind, at] of [
      ["failed", "2026-03-02"],
      ["needs_person", "2026-03-03"],
      ["claimed", "2026-03-09"],
    ]) {
      await desk.base.admin.query(
        "insert into request_events (request_id, kind, at, actor_kind, actor_id) values ($1, $2, $3::date::timestamp at time zone 'UTC', 'worker', 'w')",
        [old, kind, at],
      );
    }
    expect(await companies("status=all&receivedTo=2026-03-09")).toEqual(["Old"]);
    expect(await companies("status=all&receivedFrom=2026-03-01")).toEqual(["New", "Old"]);
    expect(await companies("status=all&failedFrom=2026-03-02&failedTo=2026-03-04")).toEqual([
      "Old",
    ]);
    expect(await companies("status=all&failedFrom=2026-03-04")).toEqual([]);
  });

  it("says when a claim is over, though nobody has taken the request yet", async () => {
    await request("Over", {
      status: "in_progress",
      assignee_id: "kim",
      lease_expires_at: hours(-1),
    });
    await request("Held", {
      status: "in_progress",
      assignee_id: "kim",
      lease_expires_at: hours(1),
    });
    const { rows } = await page();
    expect(Object.fromEntries(rows.map((row) => [row.company, row.claimEnded]))).toEqual({
      Over: true,
      Held: false,
    });
  });
});

describe("pages", () => {
  async function walk(query: string): Promise<string[][]> {
    const pages: string[][] = [];
    let at = await page(query);
    for (;;) {
      pages.push(at.rows.map(({ requestId }) => requestId));
      if (!at.nextCursor) break;
      at = await page(`${query}&cursor=${at.nextCursor}`);
    }
    // And back again: the same pages.
    for (let index = pages.length - 2; index >= 0; index -= 1) {
      at = await page(`${query}&cursor=${at.previousCursor}`);
      expect(at.rows.map(({ requestId }) => requestId)).toEqual(pages[index]);
    }
    expect(at.previousCursor).toBeNull();
    return pages;
  }

  it("hold every row once where many are due at the same moment, in every order", async () => {
    await request("Many");
    // 120 rows in three statuses, with four due times between them.
    await desk.base.admin.query(`
      insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, due_at, created_at)
      select gen_random_uuid(), customer_id, plan_id, billing_cycle, region, features, priority,
        timestamptz '2026-05-01' + make_interval(days => n % 4), timestamptz '2026-04-01' + make_interval(days => n % 4)
      from provisioning_queue, generate_series(1, 119) n`);
    await desk.base.admin.query(`
      begin; set local session_replication_role = replica;
      update provisioning_queue set status = (array['pending', 'failed', 'completed'])[1 + abs(hashtext(id::text)) % 3];
      update provisioning_queue set ended_at = due_at where status = 'completed';
      update provisioning_queue set due_at = null where status = 'pending' and abs(hashtext(id::text)) % 7 = 0;
      commit`);
    for (const [query, where, order] of [
      ["status=open", "status <> 'completed'", "coalesce(due_at, 'infinity'), id"],
      ["status=pending", "status = 'pending'", "coalesce(due_at, 'infinity'), id"],
      ["status=completed", "status = 'completed'", "ended_at desc, id desc"],
      ["status=all", "true", "created_at desc, id desc"],
      ["status=completed,failed", "status <> 'pending'", "created_at desc, id desc"],
    ] as const) {
      const { rows } = await desk.base.admin.query(
        `select id from provisioning_queue where ${where} order by ${order}`,
      );
      expect((await walk(query)).flat(), query).toEqual(rows.map(({ id }) => id));
    }
  });

  it("begin at the beginning when the cursor is of another order", async () => {
    for (const name of ["One", "Two"]) await request(name, { due_at: hours(1) });
    const cursor = Buffer.from(
      "ended|after|2026-01-01T00:00:00.000Z|019a0000-0000-7000-8000-000000000000",
    ).toString("base64url");
    expect(await companies(`cursor=${cursor}`)).toEqual(["One", "Two"]);
  });
});

describe("the search", () => {
  it("finds beginnings of words in company, contact and address", async () => {
    await request(
      "Müller-Söhne GmbH",
      {},
      { contactName: "Ann O'Brien", email: "ann.lee@shop.example" },
    );
    await request("Acme Ltd.", {}, { contactName: "Bob Ray", email: "bob@acme.example" });
    const [mueller, acme] = [["Müller-Söhne GmbH"], ["Acme Ltd."]];
    for (const text of [
      "müller",
      "MÜL",
      "söhne",
      "müller-söhne",
      "o'brien",
      "brien",
      "ann.lee@shop.example",
      "ann.le",
      "gmbh ann",
    ]) {
      expect(await companies(`q=${encodeURIComponent(text)}`), text).toEqual(mueller);
    }
    for (const text of ["acme", "ltd.", "bob ray", "acme & bob"]) {
      expect(await companies(`q=${encodeURIComponent(text)}`), text).toEqual(acme);
    }
    expect(await companies("q=acme+brien")).toEqual([]);
    // Words that a parser for prose takes for numbers, versions or parts of addresses.
    await request("7e3956e5 1.2.3-4 a_b", {}, { contactName: "X", email: "x@9e99.example" });
    for (const text of ["7e39", "7e3956e5", "1.2", "a_b", "b", "9e9", "-4"]) {
      expect(await companies(`q=${encodeURIComponent(text)}`), text).toContain(
        "7e3956e5 1.2.3-4 a_b",
      );
    }
  });

  it("finds a request by its id, and by its project", async () => {
    const id = await request("Wanted");
    await request("Other");
    expect(await companies(`q=${id}`)).toEqual(["Wanted"]);
    expect(await companies(`q=${id.toUpperCase()}`)).toEqual(["Wanted"]);
    await desk.base.admin.query(
      `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       select gen_random_uuid(), customer_id, id, 'abcdefghijklmnopqrst', 'https://x.example', 'offered'
       from provisioning_queue where id = $1`,
      [id],
    );
    expect(await companies("q=abcdefghijklmnopqrst")).toEqual(["Wanted"]);
  });

  it("takes hostile text as text", async () => {
    await request("Plain", {}, { contactName: "Zed", email: "zed@example.com" });
    const hostile = [
      "') or true --",
      "\\",
      "'",
      "''",
      "':*",
      "a:*|b",
      "!!a",
      "<->",
      "(((((",
      ")",
      "a\\' | 'b",
      "%_",
      "$1",
      "\u0000",
      "<script>",
      "ﬀ İ ß",
      "👩‍👩‍👧 a",
      "a".repeat(5_000),
      "' ".repeat(200),
      "\\ a".repeat(60),
      "-- ; drop table customers",
    ];
    for (const text of hostile) {
      const { rows } = await page(`q=${encodeURIComponent(text)}`);
      // What holds no word is no search at all.
      const isSearch =
        readDeskFilter(new URLSearchParams({ q: text }), "kim").filter.text !== undefined;
      expect(rows.length, text).toBe(isSearch ? 0 : 1);
    }
  });
});

it("offers the states, the plans and the active staff to choose from", async () => {
  const { statuses, plans, staff: people } = await desk.as(staff(), (tx) => deskChoices(tx));
  expect(statuses.slice(-4)).toEqual(["completed", "failed", "run_cancelled", "cancelled"]);
  expect(plans.map(({ name }) => name)).toEqual(["Starter", "Growth", "Business", "Enterprise"]);
  expect(people.map(({ name }) => name)).toEqual(["Kim", "Lou", "Sam"]);
});

it("knows the name of who has left the staff, for a list that is narrowed to them", async () => {
  const nameOf = (id: string) => desk.as(staff(), (tx) => assigneeName(tx, id));
  await desk.base.admin.query(
    "update admin_users set deactivated_at = now() where user_id = 'lou'",
  );
  const { staff: people } = await desk.as(staff(), (tx) => deskChoices(tx));
  expect(people.map(({ name }) => name)).toEqual(["Kim", "Sam"]);
  expect([await nameOf("lou"), await nameOf("none"), await nameOf("zzz")]).toEqual([
    "Lou",
    null,
    null,
  ]);
  await desk.base.admin.query("update admin_users set deactivated_at = null");
});

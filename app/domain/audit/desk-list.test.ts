import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { deskAuditFilter, knownActions, listDeskAudit } from "./index.server.ts";

let desk: Desk;
let requestId: string;
const sam: Actor = { kind: "staff", id: "sam", origin: "", correlationId: "t" };

beforeAll(async () => {
  desk = await openDesk();
  requestId = (await desk.request({ company: "Quay & Co" })).id;
  // Five days, the oldest first, as the record grows: 200 a day.
  await desk.base.admin.query(`
    insert into audit_log (at, actor_kind, actor_id, action, subject_kind, subject_id, data)
    select timestamptz '2026-03-01 00:00Z' + make_interval(mins => n * 7),
      case when n % 3 = 0 then 'worker' else 'staff' end,
      case when n % 3 = 0 then 'worker-7' else 'kim' end,
      case when n % 50 = 0 then 'rare.event' when n % 2 = 0 then 'thing.made' else 'thing.moved' end,
      'thing', 'thing-' || n % 10, jsonb_build_object('n', n)
    from generate_series(0, 1028) n`);
});
afterAll(() => desk.base.drop());

const list = (filter: Record<string, unknown>) =>
  desk.as(sam, (tx) => listDeskAudit(tx, deskAuditFilter.parse(filter)));

async function all(filter: Record<string, unknown>) {
  const found = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(
      cursor === null ? filter : { ...filter, cursor },
    );
    found.push(...page.records);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}
/** What the filter should find, by SQL of its own. */
const count = async (where: string) =>
  Number(
    (await desk.base.admin.query(`select count(*) from audit_log where ${where}`)).rows[0].count,
  );

describe("the record, as the desk searches it", () => {
  it("comes newest first, in pages, without a gap or a double", async () => {
    const found = await all({});
    const ids = found.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(await count("true"));
  });

  it("finds a person by address, a machine by name, and nobody under an unknown address", async () => {
    const byAddress = await all({ who: "KIM@berth.example" });
    expect(byAddress.length).toBe(await count("actor_id = 'kim'"));
    expect(byAddress[0]?.actor).toMatchObject({ id: "kim", name: "Kim" });
    const machine = await all({ who: "worker-7" });
    expect(machine.length).toBe(await count("actor_id = 'worker-7'"));
    expect(machine[0]?.actor).toEqual({ kind: "worker", id: "worker-7", name: null });
    expect((await list({ who: "x@example.com" })).records).toEqual([]);
  });

  it("finds actions by their beginning", async () => {
    expect((await all({ action: "thing." })).length).toBe(await count("action like 'thing.%'"));
    expect((await all({ action: "rare.event" })).length).toBe(21);
    expect((await list({ action: "nothing" })).records).toEqual([]);
    expect((await list({ action: "%" })).records).toEqual([]);
    expect(await desk.as(sam, knownActions)).toEqual(
      (
        await desk.base.admin.query(
          `select distinct action collate "C" as action from audit_log order by 1`,
        )
      ).rows.map(({ action }) => action),
    );
  });

  it("finds what was done to one thing, and for one request, by name", async () => {
    expect((await all({ subject: "thing", id: "thing-3" })).length).toBe(
      await count("subject_id = 'thing-3'"),
    );
    const [newest] = await all({ request: requestId });
    expect(newest?.request).toEqual({ id: requestId, company: "Quay & Co" });
    expect(
      (await all({ request: requestId })).every(({ request }) => request?.id === requestId),
    ).toBe(true);
  });

  it("takes both days of a span whole, in UTC", async () => {
    const spans = [
      { from: "2026-03-02", to: "2026-03-02" },
      { from: "2026-03-02", to: "2026-03-04" },
      { from: "2026-03-05" },
      { to: "2026-03-01" },
    ];
    for (const { from, to } of spans) {
      const found = await all({ from, to });
      const expected = await count(
        `${from ? `at >= '${from}T00:00Z'` : "true"} and ${to ? `at < timestamptz '${to}T00:00Z' + interval '1 day'` : "true"}`,
      );
      expect(found.length, `${from} ${to}`).toBe(expected);
      expect(expected).toBeGreaterThan(0);
    }
    expect((await list({ from: "2999-01-01" })).records).toEqual([]);
    expect((await list({ to: "1999-01-01" })).records).toEqual([]);
    const both = await all({ from: "2026-03-02", to: "2026-03-02", who: "worker-7" });
    expect(both.length).toBe(
      await count("actor_id = 'worker-7' and at >= '2026-03-02' and at < '2026-03-03'"),
    );
  });

  it("refuses what is no filter", () => {
    const wrong = [
      { from: "2026-02-30" },
      { from: "0000-01-01" },
      { request: "1 or 1=1" },
      { cursor: "-1" },
      { cursor: "99999999999999999999" },
      { who: "x".repeat(300) },
      { id: "a\u0000b" },
    ];
    for (const filter of wrong) expect(deskAuditFilter.safeParse(filter).success).toBe(false);
  });

  it("is for the desk, not for customers", async () => {
    const customer: Actor = { ...sam, kind: "customer" };
    const attempt = desk.as(customer, (tx) => tx.execute(sql`select 1 from audit_log`));
    await expect(attempt).rejects.toMatchObject({ cause: { code: "42501" } });
  });
});

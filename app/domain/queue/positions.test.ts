import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import {
  claimRequest,
  getQueueItem,
  listQueue,
  lockRequest,
  moveRequest,
  positionsOf,
  type QueueFilter,
  queueFilter,
  type RequestStatus,
  releaseRequest,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(() =>
  desk.base.admin.query(
    "truncate provisioning_queue, onboarding_drafts, request_events, request_clock_segments, outbox, one_time_links, customer_backends, provisioning_runs, provisioning_steps, drift_acceptances",
  ),
);
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk.base.drop());

const positions = (...ids: string[]) =>
  desk.as(desk.kim, async (tx) => {
    const found = await positionsOf(tx, ids);
    return ids.map((id) => found.get(id));
  });
const list = (filter: Partial<Record<keyof QueueFilter, unknown>> = {}) =>
  desk.as(desk.kim, (tx) => listQueue(tx, queueFilter.parse(filter)));
const move = (id: string, to: RequestStatus) =>
  desk.as(desk.kim, async (tx) =>
    moveRequest({ tx, actor: desk.kim }, await lockRequest(tx, id), to, { event: "moved" }),
  );
const segments = async (id: string) =>
  (
    await desk.base.admin.query(
      `select kind, started_at, ended_at from request_clock_segments where request_id = $1 order by id`,
      [id],
    )
  ).rows;

describe("a position", () => {
  it("is the number of waiting requests with an earlier promise", async () => {
    const low = await desk.request({ plan: "starter", features: [], priority: "low" });
    const normal = await desk.request({ plan: "growth" });
    const vip = await desk.request({ plan: "enterprise", priority: "vip" });
    expect(await positions(low.id, normal.id, vip.id)).toEqual([2, 1, 0]);
    expect((await list()).requests.map((one) => [one.requestId, one.position])).toEqual([
      [vip.id, 0],
      [normal.id, 1],
      [low.id, 2],
    ]);
  });

  it("rises when something more urgent arrives, and falls as others are taken up", async () => {
    const first = await desk.request();
    const second = await desk.request();
    expect(await positions(first.id, second.id)).toEqual([0, 1]);
    const urgent = await desk.request({ priority: "vip" });
    expect(await positions(urgent.id, first.id, second.id)).toEqual([0, 1, 2]);
    await desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, urgent.id));
    expect(await positions(urgent.id, first.id, second.id)).toEqual([null, 0, 1]);
    await desk.as(desk.kim, (tx) => releaseRequest({ tx, actor: desk.kim }, urgent.id));
    expect(await positions(urgent.id, first.id, second.id)).toEqual([0, 1, 2]);
  });

  it("goes by id among equal promises", async () => {
    const made = [];
    for (let count = 0; count < 5; count += 1) made.push((await desk.request()).id);
    for (const id of made) await desk.plant(id, { due_at: "2026-12-01T00:00:00Z" });
    expect(await positions(...[...made].sort())).toEqual([0, 1, 2, 3, 4]);
  });

  it("is the same for one alone, for a few and for many at once", async () => {
    const made: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      made.push((await desk.request({ priority: count % 3 ? "normal" : "high" })).id);
    }
    await desk.plant(made[3] ?? "", { status: "in_progress" });
    const together = await positions(...made);
    const alone = [];
    for (const id of made) alone.push(...(await positions(id)));
    expect(together).toEqual(alone);
    expect(together.filter((position) => position !== null)).toHaveLength(7);
    expect((await list()).requests.map((one) => one.position)).toEqual(
      (await list()).requests.map((one) => together[made.indexOf(one.requestId)]),
    );
  });

  it("of an old promise is ahead of any new one: nobody starves", async () => {
    const old = await desk.request({ plan: "starter", features: [], priority: "low" });
    await desk.base.shiftClock("10 days");
    const vip = await desk.request({ plan: "enterprise", priority: "vip" });
    expect(await positions(old.id, vip.id)).toEqual([0, 1]);
  });

  it("is there for waiting requests alone", async () => {
    const { id } = await desk.request();
    for (const status of ["in_progress", "waiting_on_customer", "migrating", "completed"]) {
      await desk.plant(id, { status });
      expect(await positions(id), status).toEqual([null]);
    }
    expect(await positions("00000000-0000-7000-8000-000000000000")).toEqual([undefined]);
    expect(await positions()).toEqual([]);
  });
});

describe("the clock", () => {
  it("stops while the customer is asked, and the promise moves by exactly that long", async () => {
    const request = await desk.request();
    await desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, request.id));
    await desk.base.shiftClock("2 hours");
    const paused = await move(request.id, "waiting_on_customer");
    expect(paused.dueAt).toBeNull();
    expect((await list()).requests[0]).toMatchObject({ dueAt: null, position: null });
    await desk.base.shiftClock("50 hours");
    const resumed = await move(request.id, "in_progress");
    const [running, pause, open] = await segments(request.id);
    expect([running.kind, pause.kind, open.kind]).toEqual(["running", "paused", "running"]);
    expect(running.started_at).toEqual(request.createdAt);
    expect(pause.started_at).toEqual(running.ended_at);
    expect(open.started_at).toEqual(pause.ended_at);
    expect(open.ended_at).toBeNull();
    const pausedMs = pause.ended_at.getTime() - pause.started_at.getTime();
    expect(pausedMs).toBeGreaterThanOrEqual(48 * 3_600_000);
    expect(resumed.dueAt?.getTime()).toBe((request.dueAt?.getTime() ?? 0) + pausedMs);
  });

  it("ends with the request, which keeps the promise that it is measured against", async () => {
    for (const end of ["completed", "cancelled"] as const) {
      const request = await desk.request();
      await desk.plant(request.id, { status: end === "completed" ? "migrating" : "pending" });
      const ended = await move(request.id, end);
      expect(ended.dueAt).toEqual(request.dueAt);
      expect(ended.endedAt).not.toBeNull();
      expect((await segments(request.id)).map(({ kind }) => kind)).toEqual(["running", "stopped"]);
    }
  });

  it("runs on through every other move", async () => {
    const request = await desk.request();
    for (const to of ["in_progress", "credentials_received", "migrating", "failed"] as const) {
      expect((await move(request.id, to)).dueAt).toEqual(request.dueAt);
    }
    expect(await segments(request.id)).toHaveLength(1);
  });
});

describe("pages of the queue", () => {
  /** All ids by pages of this size; fails rather than run for ever. */
  async function walk(limit: number, filter: Partial<QueueFilter> = {}) {
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < 100; page += 1) {
      const answer = await list({ ...filter, limit, ...(cursor ? { cursor } : {}) });
      expect(answer.requests.length).toBeLessThanOrEqual(limit);
      seen.push(...answer.requests.map((one) => one.requestId));
      cursor = answer.nextCursor;
      if (cursor === null) return seen;
    }
    throw new Error("The pages do not end.");
  }

  it("lose and double nothing, over ties and paused requests, at any size", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 24; count += 1) ids.push((await desk.request()).id);
    const dues = [null, "2026-12-01T00:00:00.001Z", "2026-12-01T00:00:00Z", null, "2025-01-01"];
    for (const [index, id] of ids.entries()) {
      await desk.plant(id, {
        due_at: dues[index % dues.length],
        status: index % 3 ? "pending" : "failed",
      });
    }
    const { rows } = await desk.base.admin.query(
      "select id, status from provisioning_queue order by coalesce(due_at, 'infinity'), id",
    );
    const all = rows.map((row) => row.id);
    for (const limit of [1, 2, 3, 5, 7, 23, 24, 25, 200]) {
      expect(await walk(limit), `pages of ${limit}`).toEqual(all);
    }
    const failed = rows.filter((row) => row.status === "failed").map((row) => row.id);
    expect(await walk(3, { status: "failed" })).toEqual(failed);
    expect(await walk(3, { status: "failed", priority: "vip" })).toEqual([]);
  });

  it("stay whole for what was there throughout, while others come and go", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 9; count += 1) ids.push((await desk.request()).id);
    const first = await list({ limit: 4 });
    await move(ids[0] ?? "", "cancelled");
    await desk.request({ priority: "vip" });
    const second = await list({ limit: 5, cursor: first.nextCursor });
    const seen = [...first.requests, ...second.requests].map((one) => one.requestId);
    expect(seen).toEqual(ids);
  });

  it("refuse cursors that did not come from here", () => {
    const forged = [
      "",
      "x",
      Buffer.from("infinity").toString("base64url"),
      Buffer.from("infinity|not-an-id").toString("base64url"),
      Buffer.from("yesterday|00000000-0000-7000-8000-000000000000").toString("base64url"),
      Buffer.from("0000-01-01T00:00:00Z|00000000-0000-7000-8000-000000000000").toString(
        "base64url",
      ),
      Buffer.from("-infinity|00000000-0000-7000-8000-000000000000").toString("base64url"),
      "A".repeat(201),
    ];
    for (const cursor of forged) expect(queueFilter.safeParse({ cursor }).success).toBe(false);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 210 }), (cursor) => {
        expect(queueFilter.safeParse({ cursor }).success).toBe(false);
      }),
    );
  });

  it("tell of one request what they tell of all", async () => {
    const { id } = await desk.request({ company: "One" });
    const item = await desk.as(desk.kim, (tx) => getQueueItem(tx, id));
    expect((await list()).requests).toEqual([item]);
    expect(item).toMatchObject({ company: "One", features: ["base", "inventory", "pos"] });
  });
});

import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIORITIES, planTargets } from "#db/catalog.ts";
import { provisioningQueue } from "#db/queue.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import {
  dueState,
  dueStateSql,
  isLateSql,
  isOpenSql,
  isSoonSql,
  SOON_SHARE,
  targetOfRequest,
} from "./index.server.ts";

const HOUR_MS = 3_600_000;
const now = new Date("2026-03-01T12:00:00Z");
const inHours = (hours: number) => new Date(now.getTime() + hours * HOUR_MS);

describe("dueState", () => {
  it("is late from the promised moment on, and soon in the last quarter before it", () => {
    const state = (hours: number | null) =>
      dueState({ now, dueAt: hours === null ? null : inHours(hours), targetHours: 48 });
    expect(state(null)).toBe("paused");
    expect(state(-1)).toBe("late");
    expect(state(0)).toBe("late");
    expect(state(1e-6)).toBe("soon");
    expect(state(12 - 1e-6)).toBe("soon");
    expect(state(12)).toBe("fine");
    expect(state(48)).toBe("fine");
  });
});

describe("the same in SQL", () => {
  let desk: Desk;
  let requestId: string;
  beforeAll(async () => {
    desk = await openDesk();
    requestId = (await desk.request()).id;
  });
  afterAll(() => desk.base.drop());

  /** Offsets from now in ms: anywhere, and around both edges of what is soon. */
  const offset = (hours: number) =>
    fc.oneof(
      fc.integer({ min: -200 * HOUR_MS, max: 200 * HOUR_MS }),
      fc.integer({ min: -2, max: 2 }),
      fc.integer({ min: -2, max: 2 }).map((ms) => hours * SOON_SHARE * HOUR_MS + ms),
    );

  it("agrees to the millisecond, whatever is due when", async () => {
    const targets = await desk.as(desk.kim, (tx) => tx.select().from(planTargets));
    const anyCase = fc.constantFrom(...targets).chain((target) =>
      fc.record({
        target: fc.constant(target),
        offset: fc.option(offset(target.hours), { nil: null, freq: 8 }),
        status: fc.constantFrom("pending", "waiting_on_customer", "completed", "cancelled"),
      }),
    );
    // One transaction each: planted and judged at the same instant, so that the edges are met exactly.
    await fc.assert(
      fc.asyncProperty(anyCase, async ({ target, offset, status }) => {
        const client = await desk.base.admin.connect();
        try {
          await client.query("begin");
          await client.query("set local session_replication_role = replica");
          const { rows } = await client.query(
            "select date_trunc('milliseconds', berth_now()) as now",
          );
          const now: Date = rows[0].now;
          const dueAt = offset === null ? null : new Date(now.getTime() + offset);
          await client.query(
            `update provisioning_queue set due_at = $2, plan_id = $3, priority = $4, status = $5
             where id = $1`,
            [requestId, dueAt, target.planId, target.priority, status],
          );
          const [found] = await drizzle(client)
            .select({ state: dueStateSql, late: isLateSql, soon: isSoonSql, open: isOpenSql })
            .from(provisioningQueue)
            .innerJoin(planTargets, targetOfRequest)
            .where(eq(provisioningQueue.id, requestId));
          const state = dueState({ now, dueAt, targetHours: target.hours });
          const open = status !== "completed" && status !== "cancelled";
          expect(found).toEqual({
            state,
            open,
            late: open && state === "late",
            soon: open && state === "soon",
          });
        } finally {
          await client.query("rollback");
          client.release();
        }
      }),
      { numRuns: 300 },
    );
  });

  it("finds exactly one promise for each request", async () => {
    for (const priority of PRIORITIES) {
      await desk.plant(requestId, { priority });
      const found = await desk.as(desk.kim, (tx) =>
        tx
          .select({ id: provisioningQueue.id })
          .from(provisioningQueue)
          .innerJoin(planTargets, targetOfRequest),
      );
      expect(found).toEqual([{ id: requestId }]);
    }
  });
});

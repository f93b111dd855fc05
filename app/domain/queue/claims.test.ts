import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { asActor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { NotStaffError } from "../identity/index.server.ts";
import {
  ClaimExpiredError,
  claimRequest,
  expireClaims,
  HeldByOtherError,
  releaseRequest,
  requireHeld,
  WrongStateError,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk.base.drop());

type Who = "kim" | "lou" | "sam";
const claim = (who: Who, id: string) =>
  asActor(desk.base.db, desk[who], (tx) => claimRequest({ tx, actor: desk[who] }, id));
const release = (who: Who, id: string) =>
  asActor(desk.base.db, desk[who], (tx) => releaseRequest({ tx, actor: desk[who] }, id));
const act = (who: Who, id: string) =>
  asActor(desk.base.db, desk[who], (tx) =>
    requireHeld({ tx, actor: desk[who] }, id, "cancel", ["in_progress"]),
  );
const expire = (limit?: number) =>
  desk.as(desk.worker, (tx) => expireClaims({ tx, actor: desk.worker }, limit));
const kinds = async (id: string) =>
  (
    await desk.base.admin.query(
      "select kind, actor_id from request_events where request_id = $1 order by id",
      [id],
    )
  ).rows.map((row) => `${row.kind} by ${row.actor_id}`);
const rowOf = async (id: string) =>
  (await desk.base.admin.query("select * from provisioning_queue where id = $1", [id])).rows[0];

describe("claiming", () => {
  it("has one winner of two at once, a hundred times, and tells the other who it is", async () => {
    const wins = { kim: 0, lou: 0 };
    for (let round = 0; round < 100; round += 1) {
      const { id } = await desk.request();
      const order: Who[] = round % 2 ? ["kim", "lou"] : ["lou", "kim"];
      const attempts = await Promise.allSettled(order.map((who) => claim(who, id)));
      const won = attempts.filter((attempt) => attempt.status === "fulfilled");
      const lost = attempts.filter((attempt) => attempt.status === "rejected");
      expect([won.length, lost.length]).toEqual([1, 1]);
      const winner = won[0]?.value.assigneeId as "kim" | "lou";
      wins[winner] += 1;
      const refusal = lost[0]?.reason;
      expect(refusal).toBeInstanceOf(HeldByOtherError);
      expect(refusal.holder).toEqual({ id: winner, name: winner === "kim" ? "Kim" : "Lou" });
      expect(await kinds(id)).toEqual(["received by kim", `claimed by ${winner}`]);
    }
    // Both have won at times: the race was one.
    expect(wins.kim * wins.lou).toBeGreaterThan(0);
  });

  it("changes nothing for the one who holds it already", async () => {
    const { id } = await desk.request();
    const first = await claim("kim", id);
    expect(await claim("kim", id)).toEqual(first);
    expect(await kinds(id)).toEqual(["received by kim", "claimed by kim"]);
    const mails = await desk.base.admin.query(
      "select 1 from outbox where request_id = $1 and kind = 'claimed'",
      [id],
    );
    expect(mails.rowCount).toBe(1);
  });

  it("is for active staff alone", async () => {
    const { id } = await desk.request();
    const nobody = { ...desk.kim, id: "nobody" };
    await expect(desk.as(nobody, (tx) => claimRequest({ tx, actor: nobody }, id))).rejects.toThrow(
      NotStaffError,
    );
    await desk.base.admin.query(
      "update admin_users set deactivated_at = now() where user_id = 'lou'",
    );
    await expect(claim("lou", id)).rejects.toThrow(NotStaffError);
    await desk.base.admin.query("update admin_users set deactivated_at = null");
    expect((await rowOf(id)).status).toBe("pending");
  });

  it("is refused for what is beyond the desk", async () => {
    for (const status of ["credentials_received", "migrating", "completed", "cancelled"]) {
      const { id } = await desk.request();
      await desk.plant(id, { status });
      await expect(claim("kim", id), status).rejects.toThrow(WrongStateError);
      await desk.plant(id, { assignee_id: "lou" });
      await expect(claim("kim", id), status).rejects.toThrow(/Lou has claimed/);
    }
  });

  it("raises the fencing token each time, also over releases and expiries", async () => {
    const { id } = await desk.request();
    const tokens = [(await claim("kim", id)).leaseToken];
    await release("kim", id);
    tokens.push((await claim("lou", id)).leaseToken);
    await desk.base.shiftClock("5 hours");
    expect(await expire()).toBeGreaterThan(0);
    tokens.push((await claim("kim", id)).leaseToken);
    expect(tokens).toEqual([1, 2, 3]);
  });
});

describe("a claim that is left alone", () => {
  it("goes back to the queue, at its old place, with a note of who had it", async () => {
    const request = await desk.request();
    await claim("kim", request.id);
    await desk.base.shiftClock("3 hours");
    await expire();
    expect((await rowOf(request.id)).status).toBe("in_progress");
    await desk.base.shiftClock("4 hours 1 second");
    await expire();
    const row = await rowOf(request.id);
    expect(row).toMatchObject({ status: "pending", assignee_id: null, lease_expires_at: null });
    expect(row.due_at).toEqual(request.dueAt);
    const { rows } = await desk.base.admin.query(
      "select actor_id, data from request_events where request_id = $1 and kind = 'claim_expired'",
      [request.id],
    );
    expect(rows).toEqual([
      {
        actor_id: "worker-1",
        data: { assigneeId: "kim", note: expect.stringContaining("4 hours") },
      },
    ]);
    expect((await claim("lou", request.id)).assigneeId).toBe("lou");
  });

  it("can be claimed by another before the house is kept, and the old holder is told", async () => {
    const { id } = await desk.request();
    await claim("kim", id);
    await expect(claim("lou", id)).rejects.toThrow(HeldByOtherError);
    await desk.base.shiftClock("4 hours 1 second");
    await expect(act("kim", id)).rejects.toThrow(ClaimExpiredError);
    expect((await claim("lou", id)).leaseToken).toBe(2);
    expect((await kinds(id)).slice(1)).toEqual([
      "claimed by kim",
      "claim_expired by lou",
      "claimed by lou",
    ]);
    await expect(act("kim", id)).rejects.toThrow(/Lou has claimed/);
  });

  it("is kept alive by each act on it", async () => {
    const { id } = await desk.request();
    await claim("kim", id);
    for (const passed of ["3 hours", "6 hours", "9 hours"]) {
      await desk.base.shiftClock(passed);
      await act("kim", id);
      await expire();
    }
    expect(await rowOf(id)).toMatchObject({ status: "in_progress", assignee_id: "kim" });
  });

  it("is returned once by many workers at once, a bounded number at a time", async () => {
    await desk.base.shiftClock("5 hours");
    while ((await expire()) > 0);
    await desk.base.shiftClock("0");
    const requests = [];
    for (let count = 0; count < 12; count += 1) requests.push((await desk.request()).id);
    for (const id of requests) await claim("kim", id);
    await desk.base.shiftClock("5 hours");
    const counts = await Promise.all(Array.from({ length: 4 }, () => expire(5)));
    expect(counts.every((count) => count <= 5)).toBe(true);
    let total = counts.reduce((sum, count) => sum + count, 0);
    for (let more = await expire(5); more > 0; more = await expire(5)) total += more;
    expect(total).toBe(12);
    for (const id of requests) {
      expect((await kinds(id)).filter((kind) => kind.startsWith("claim_expired"))).toHaveLength(1);
    }
  });
});

describe("releasing", () => {
  it("is for the holder and for a supervisor, not for another admin", async () => {
    const { id } = await desk.request();
    await claim("kim", id);
    await expect(release("lou", id)).rejects.toThrow(/Kim has claimed/);
    expect((await rowOf(id)).assignee_id).toBe("kim");
    expect(await release("kim", id)).toMatchObject({ status: "pending", assigneeId: null });
    await claim("lou", id);
    expect(await release("sam", id)).toMatchObject({ status: "pending", assigneeId: null });
    expect((await kinds(id)).slice(1)).toEqual([
      "claimed by kim",
      "released by kim",
      "claimed by lou",
      "released by sam",
    ]);
  });

  it("is possible for what is in progress alone", async () => {
    for (const status of ["pending", "waiting_on_customer", "migrating", "failed", "cancelled"]) {
      const { id } = await desk.request();
      await desk.plant(id, { status });
      await expect(release("kim", id), status).rejects.toThrow(WrongStateError);
    }
  });
});

describe("acting on what is held", () => {
  it("is for the holder and for a supervisor", async () => {
    const { id } = await desk.request();
    await claim("kim", id);
    await expect(act("lou", id)).rejects.toThrow(HeldByOtherError);
    const before = await rowOf(id);
    const after = await act("sam", id);
    expect(after.assigneeId).toBe("kim");
    expect(after.version).toBe(before.version + 1);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { RoleMissingError } from "../identity/index.server.ts";
import {
  addNote,
  type Context,
  changePriority,
  changesSince,
  claimRequest,
  expireClaims,
  HeldByOtherError,
  lockRequest,
  MovedOnError,
  moveRequest,
  releaseRequest,
  requireHeld,
  requireUnmoved,
  resumeRequest,
  type Seen,
  WrongStateError,
} from "./index.server.ts";
import { LONGEST_NOTE, noteInput } from "./schema.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk.base.drop());

type Who = "kim" | "lou" | "sam";
/** As on the desk's pages: staff by session. */
const act = <T>(who: Who, work: (context: Context) => Promise<T>): Promise<T> => {
  const actor = { ...desk[who], kind: "staff" as const };
  return desk.as(actor, (tx) => work({ tx, actor }));
};
const one = async (sql: string, values: unknown[]) =>
  (await desk.base.admin.query(sql, values)).rows[0];
const rowOf = (id: string) => one("select * from provisioning_queue where id = $1", [id]);
const eventsOf = async (id: string) =>
  (
    await desk.base.admin.query(
      "select id, kind, actor_id, data from request_events where request_id = $1 order by id",
      [id],
    )
  ).rows;
const auditOf = async (id: string, action: string) =>
  (
    await desk.base.admin.query(
      "select actor_id, data from audit_log where request_id = $1 and action = $2",
      [id, action],
    )
  ).rows;
const claimed = async (who: Who) => {
  const { id } = await desk.request();
  await act(who, (context) => claimRequest(context, id));
  return id;
};
const HOUR_MS = 3_600_000;
const askCustomer = (who: Who, id: string) =>
  act(who, async (context) =>
    moveRequest(context, await lockRequest(context.tx, id), "waiting_on_customer", {
      event: "credentials_problem",
    }),
  );

describe("changing the priority", () => {
  it("makes another promise, on the timeline and in the record", async () => {
    const request = await desk.request();
    const changed = await act("sam", (context) => changePriority(context, request.id, "vip"));
    // Business: 24 hours for an ordinary one, a quarter of that for a VIP.
    expect(changed.dueAt).toEqual(new Date(request.createdAt.getTime() + 6 * HOUR_MS));
    expect([changed.priority, changed.version]).toEqual(["vip", request.version + 1]);
    const data = { from: "normal", to: "vip" };
    expect((await eventsOf(request.id)).at(-1)).toMatchObject({
      kind: "priority_changed",
      actor_id: "sam",
      data,
    });
    expect(await auditOf(request.id, "request.priority_changed")).toEqual([
      { actor_id: "sam", data },
    ]);
  });

  it("leaves out what was paused, and promises nothing while it is", async () => {
    const id = await claimed("kim");
    await desk.base.shiftClock("1 hour");
    await askCustomer("kim", id);
    await desk.base.shiftClock("11 hours");
    expect((await act("sam", (context) => changePriority(context, id, "high"))).dueAt).toBeNull();
    const { dueAt, createdAt } = await act("kim", (context) => resumeRequest(context, id));
    // Twelve hours, and the ten of the pause.
    const promised = (dueAt?.getTime() ?? 0) - createdAt.getTime();
    expect(Math.abs(promised - 22 * HOUR_MS)).toBeLessThan(60_000);
  });

  it("is a supervisor's, while the request is open, and nothing if it is the same", async () => {
    const { id, version } = await desk.request();
    await expect(act("kim", (context) => changePriority(context, id, "vip"))).rejects.toThrow(
      RoleMissingError,
    );
    expect((await act("sam", (context) => changePriority(context, id, "normal"))).version).toBe(
      version,
    );
    expect(await eventsOf(id)).toHaveLength(1);
    for (const status of ["completed", "cancelled"]) {
      await desk.plant(id, { status });
      await expect(
        act("sam", (context) => changePriority(context, id, "vip")),
        status,
      ).rejects.toThrow(WrongStateError);
    }
    expect((await rowOf(id)).priority).toBe("normal");
  });
});

describe("taking a request up again", () => {
  it("lets its clock run on, and begins the claim anew", async () => {
    const id = await claimed("kim");
    await askCustomer("kim", id);
    // Longer than a claim lasts.
    await desk.base.shiftClock("9 hours");
    await act("kim", (context) => resumeRequest(context, id));
    await desk.as(desk.worker, (tx) => expireClaims({ tx, actor: desk.worker }));
    const row = await rowOf(id);
    expect(row).toMatchObject({ status: "in_progress", assignee_id: "kim" });
    expect(row.due_at).not.toBeNull();
    expect((await eventsOf(id)).at(-1)).toMatchObject({ kind: "resumed", actor_id: "kim" });
    expect(await auditOf(id, "request.resumed")).toHaveLength(1);
  });

  it("is its holder's or a supervisor's, and only while the customer is asked", async () => {
    const id = await claimed("kim");
    const resume = (who: Who) => act(who, (context) => resumeRequest(context, id));
    await expect(resume("kim")).rejects.toThrow(WrongStateError);
    await askCustomer("kim", id);
    await expect(resume("lou")).rejects.toThrow(HeldByOtherError);
    expect((await resume("sam")).assigneeId).toBe("kim");
  });
});

describe("a note", () => {
  it("stands on the timeline, and in the record only that it was made", async () => {
    const { id, version } = await desk.request();
    await act("lou", (context) => addNote(context, id, "Rang them.\nCall back at nine."));
    const event = (await eventsOf(id)).at(-1);
    expect(event).toMatchObject({ kind: "note", actor_id: "lou" });
    expect(event.data).toEqual({ text: "Rang them.\nCall back at nine." });
    expect(await auditOf(id, "request.note")).toEqual([{ actor_id: "lou", data: {} }]);
    expect((await rowOf(id)).version).toBe(version);
  });

  it("is plain text of bounded length", () => {
    expect(noteInput.parse("  a\r\nb\u2028c\u0000\u001b[31m\t ")).toBe("a\nb\nc[31m");
    expect(noteInput.safeParse(" \n\t ").success).toBe(false);
    expect(noteInput.safeParse("x".repeat(LONGEST_NOTE)).success).toBe(true);
    expect(noteInput.safeParse("x".repeat(LONGEST_NOTE + 1)).success).toBe(false);
    expect(noteInput.parse("\ud800 lone").isWellFormed()).toBe(true);
  });
});

describe("an act from a page that is behind", () => {
  const seenOf = async (id: string): Promise<Seen> => ({
    version: (await rowOf(id)).version,
    eventId: Number((await eventsOf(id)).at(-1).id),
  });
  const check = (id: string, seen: Seen, heeded?: string[]) =>
    act("kim", (context) => requireUnmoved(context, id, seen, heeded));

  it("is stopped with what happened since, who did it, and when", async () => {
    const id = await claimed("kim");
    const seen = await seenOf(id);
    await act("sam", (context) => releaseRequest(context, id));
    await act("lou", (context) => claimRequest(context, id));
    const error = await check(id, seen).catch((reason) => reason);
    expect(error).toBeInstanceOf(MovedOnError);
    expect(await act("kim", ({ tx }) => changesSince(tx, id, seen.eventId))).toMatchObject([
      { kind: "released", actor: { id: "sam", name: "Sam" }, at: expect.stringContaining("T") },
      { kind: "claimed", actor: { id: "lou", name: "Lou" } },
    ]);
  });

  it("is stopped even where the request came back to where it was", async () => {
    const id = await claimed("kim");
    const seen = await seenOf(id);
    await act("kim", (context) => releaseRequest(context, id));
    await act("kim", (context) => claimRequest(context, id));
    await expect(check(id, seen)).rejects.toThrow(MovedOnError);
  });

  it("is let pass where nobody would decide otherwise: a claim extended, a note, a priority", async () => {
    const id = await claimed("kim");
    const seen = await seenOf(id);
    await act("kim", (context) => requireHeld(context, id, "look at", ["in_progress"]));
    await act("lou", (context) => addNote(context, id, "Hello"));
    await check(id, seen);
    await act("sam", (context) => changePriority(context, id, "high"));
    await check(id, seen);
    await expect(check(id, seen, ["priority_changed"])).rejects.toThrow(MovedOnError);
    expect((await act("kim", ({ tx }) => changesSince(tx, id, seen.eventId))).length).toBe(2);
  });
});

it("tells the loser of a claim since when the other has it", async () => {
  const id = await claimed("lou");
  const error = await act("kim", (context) => claimRequest(context, id)).catch((reason) => reason);
  const { at } = await one(
    "select at from request_events where request_id = $1 and kind = 'claimed'",
    [id],
  );
  expect(error).toBeInstanceOf(HeldByOtherError);
  expect([error.holder.name, error.since]).toEqual(["Lou", at]);
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import {
  addEvent,
  HeldByOtherError,
  lockRequest,
  MovedOnError,
  RequestNotFoundError,
  readSeen,
  WrongStateError,
} from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { actOnRequest, type DeskAct, deskAct, viewForDesk } from "./index.server.ts";
import { startRun } from "./runs.ts";

let desk: Desk;
let vault: Vault;
beforeAll(async () => {
  desk = await openDesk();
  vault = desk.vault;
});
afterEach(() => desk.base.shiftClock("0"));
afterAll(() => desk.base.drop());

type Who = "kim" | "lou" | "sam";
const staff = (who: Who) => ({ ...desk[who], kind: "staff" as const });
const view = (who: Who, id: string) =>
  desk.as(staff(who), (tx) =>
    viewForDesk({ tx, vault, catalog: desk.catalog }, id, {
      userId: who,
      role: who === "sam" ? "supervisor" : "admin",
    }),
  );
/** As a page sends it that was opened when this was seen. */
const act = (who: Who, id: string, form: Record<string, unknown>) => {
  const actor = staff(who);
  const parsed: DeskAct = deskAct.parse(form);
  return desk.as(actor, (tx) => actOnRequest({ tx, actor, catalog: desk.catalog }, id, parsed));
};
const fresh = async (who: Who, id: string, form: Record<string, unknown>) =>
  act(who, id, { ...(await view(who, id)).seen, ...form });

describe("the desk's view of a request", () => {
  it("shows who, what was bought, the clock and the timeline, newest first, with names", async () => {
    const { id } = await desk.request({
      company: "Viewed Ltd",
      billingCycle: "yearly",
      phone: "+49 30 1234567",
    });
    await fresh("kim", id, { intent: "claim" });
    await fresh("lou", id, { intent: "note", text: "Rang them." });
    const seen = await view("kim", id);
    expect(seen).toMatchObject({
      status: "in_progress",
      standing: "mine",
      plan: { name: "Business", price: 203_000, currency: "EUR", cycle: "yearly" },
      customer: { company: "Viewed Ltd", phone: "+49 30 1234567", country: "DE" },
      clock: { promisedHours: 24, dueState: "fine", pauses: [] },
      assignee: { id: "kim", name: "Kim", isVisitor: true },
      backend: null,
      run: null,
      ownerLink: null,
    });
    expect(seen.features.map(({ name }) => name)).toEqual(["base", "inventory", "pos"]);
    expect(seen.features.every(({ version }) => /^\d+\.\d+\.\d+$/.test(version))).toBe(true);
    expect(seen.timeline.map(({ kind, actor }) => `${kind} ${actor.name}`)).toEqual([
      "note Lou",
      "claimed Kim",
      "received Kim",
    ]);
    expect(seen.seen.eventId).toBe(seen.timeline[0]?.id);
    // As the page of the run reads it.
    expect(await desk.as(staff("kim"), (tx) => readSeen(tx, id))).toEqual(seen.seen);
    expect(seen.mails.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      "received waiting",
      "claimed waiting",
    ]);
  });

  it("says how each person stands to it", async () => {
    const { id } = await desk.request();
    expect((await view("kim", id)).standing).toBe("unclaimed");
    await fresh("kim", id, { intent: "claim" });
    expect((await view("lou", id)).standing).toBe("held");
    expect((await view("sam", id)).standing).toBe("supervising");
    await desk.base.shiftClock("5 hours");
    expect((await view("lou", id)).standing).toBe("expired");
    for (const [status, standing] of [
      ["migrating", "machine"],
      ["failed", "mine"],
      ["completed", "ended"],
    ]) {
      await desk.plant(id, { status, ended_at: status === "completed" ? new Date() : null });
      expect((await view("kim", id)).standing, status).toBe(standing);
    }
  });

  it("knows no request that is not there", async () => {
    const nobody = "019a0000-0000-7000-8000-000000000000";
    await expect(view("kim", nobody)).rejects.toThrow(RequestNotFoundError);
    await expect(
      act("kim", nobody, { intent: "note", text: "x", version: 1, eventId: 0 }),
    ).rejects.toThrow(RequestNotFoundError);
  });
});

describe("an act on the desk's page", () => {
  it("is done as long as nothing that matters has changed", async () => {
    const { id } = await desk.request();
    const { seen } = await view("kim", id);
    await act("kim", id, { intent: "claim", ...seen });
    const mine = (await view("kim", id)).seen;
    await act("lou", id, { intent: "note", text: "By the way", ...seen });
    await act("sam", id, { intent: "priority", priority: "high", ...mine });
    await act("kim", id, { intent: "release", ...mine });
    expect((await view("kim", id)).status).toBe("pending");
  });

  it("is not done from a stale page, and leaves no trace", async () => {
    const { id } = await desk.request();
    const { seen } = await view("kim", id);
    await fresh("lou", id, { intent: "claim" });
    await fresh("sam", id, { intent: "release" });
    const before = await view("kim", id);
    for (const form of [
      { intent: "cancel" },
      { intent: "release" },
      { intent: "retry" },
      { intent: "resume" },
    ]) {
      await expect(act("kim", id, { ...form, ...seen }), form.intent).rejects.toThrow(MovedOnError);
    }
    expect(await view("kim", id)).toEqual(before);
    // Two supervisors: the second is told of the first one's decision.
    await act("sam", id, { intent: "priority", priority: "vip", ...before.seen });
    await expect(
      act("sam", id, { intent: "priority", priority: "low", ...before.seen }),
    ).rejects.toThrow(MovedOnError);
  });

  it("follows the rules of the act itself", async () => {
    const { id } = await desk.request();
    await expect(fresh("kim", id, { intent: "retry" })).rejects.toThrow(WrongStateError);
    expect((await view("kim", id)).canCancel).toBe(true);
    await fresh("kim", id, { intent: "cancel" });
    const { status, standing, canCancel, mails } = await view("kim", id);
    expect([status, standing, canCancel]).toEqual(["cancelled", "ended", false]);
    // Its customer is told.
    expect(mails.map(({ kind }) => kind)).toEqual(["received", "cancelled"]);
  });

  it("asks for the end of a run, and not of one that has begun since", async () => {
    const { id } = await desk.request();
    await desk.base.admin.query(
      `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       select gen_random_uuid(), customer_id, id, 'actproject', 'https://x', 'building'
       from provisioning_queue where id = $1`,
      [id],
    );
    await desk.plant(id, { status: "migrating", assignee_id: "kim" });
    await desk.as(desk.kim, async (tx) => {
      const backend = await liveBackendOf(tx, id);
      if (!backend) throw new Error("There is no backend.");
      const context = { tx, actor: desk.kim };
      await startRun(context, desk.catalog, await lockRequest(tx, id), backend);
    });
    const asked = async () =>
      (
        await desk.base.admin.query(
          "select cancel_requested_by as by from provisioning_runs where request_id = $1",
          [id],
        )
      ).rows;
    const { seen } = await view("kim", id);
    await desk.as(staff("kim"), (tx) => addEvent({ tx, actor: staff("kim") }, id, "retried"));
    await desk.plant(id, { version: seen.version + 1 });
    await expect(act("kim", id, { intent: "cancel-run", ...seen })).rejects.toThrow(MovedOnError);
    expect(await asked()).toEqual([{ by: null }]);
    await expect(fresh("lou", id, { intent: "cancel-run" })).rejects.toThrow(HeldByOtherError);
    await fresh("kim", id, { intent: "cancel-run" });
    expect(await asked()).toEqual([{ by: "kim" }]);
  });

  it("is refused in any other shape", () => {
    const seen = { version: "1", eventId: "0" };
    for (const form of [
      {},
      { intent: "claim" },
      { intent: "burn", ...seen },
      { intent: "priority", priority: "urgent", ...seen },
      { intent: "note", text: " ", ...seen },
      { intent: "claim", version: "1e99", eventId: "0" },
      { intent: "claim", version: "x", eventId: "0" },
    ]) {
      expect(deskAct.safeParse(form).success, JSON.stringify(form)).toBe(false);
    }
  });
});

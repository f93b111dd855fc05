import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, asActor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { addNote, claimRequest, RequestNotFoundError } from "../queue/index.server.ts";
import {
  cancelOwnRequest,
  listOwnRequests,
  TooLateToCancelError,
  trackRequest,
} from "./index.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());

const NO_REQUEST = "00000000-0000-7000-8000-000000000000";

/** A request, and its customer as it acts on its own pages. */
async function own(wish: Record<string, unknown> = {}) {
  const request = await desk.request(wish);
  const { rows } = await desk.base.admin.query("select user_id from customers where id = $1", [
    request.customerId,
  ]);
  const actor: Actor = {
    kind: "customer",
    id: rows[0].user_id,
    origin: "127.0.0.1",
    correlationId: "test",
  };
  return { request, actor };
}

const track = (actor: Actor, id: string) =>
  asActor(desk.base.db, actor, (tx) => trackRequest({ tx, catalog: desk.catalog }, id));
const list = (actor: Actor, cursor?: string) =>
  asActor(desk.base.db, actor, (tx) => listOwnRequests(tx, { cursor }));
const cancel = (actor: Actor, id: string) =>
  asActor(desk.base.db, actor, (tx) => cancelOwnRequest({ tx, actor }, id));
const claim = (id: string) => desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
const rowsOf = async (text: string, ...values: unknown[]) =>
  (await desk.base.admin.query(text, values)).rows;

describe("a customer's view", () => {
  it("is of its own requests alone; another's is not there", async () => {
    const [ann, bob] = [await own(), await own()];
    expect(await track(ann.actor, ann.request.id)).toMatchObject({
      requestId: ann.request.id,
      status: "pending",
      plan: "Business",
      timezone: "Europe/Berlin",
    });
    await expect(track(ann.actor, bob.request.id)).rejects.toThrow(RequestNotFoundError);
    await expect(track(ann.actor, NO_REQUEST)).rejects.toThrow(RequestNotFoundError);
    const listed = await list(ann.actor);
    expect(listed.requests.map(({ requestId }) => requestId)).toEqual([ann.request.id]);
    expect(listed.nextCursor).toBeNull();
  });

  it("lists all of them, newest first, in pages", async () => {
    const { request, actor } = await own();
    await rowsOf(
      `insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority)
       select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, customer_id, plan_id,
         billing_cycle, region, features, priority
       from provisioning_queue, generate_series(1, 110) n where id = $1`,
      request.id,
    );
    const listed: string[] = [];
    let cursor: string | undefined;
    for (const size of [50, 50, 11]) {
      const { requests, nextCursor } = await list(actor, cursor);
      expect(requests).toHaveLength(size);
      listed.push(...requests.map(({ requestId }) => requestId));
      cursor = nextCursor ?? undefined;
    }
    expect(cursor).toBeUndefined();
    expect(listed).toEqual([...new Set(listed)].sort().reverse());
    expect(listed[0]).toBe(request.id);
  });

  it("tells what happened without names, codes and notes", async () => {
    const { request, actor } = await own();
    await claim(request.id);
    await desk.as(desk.kim, (tx) =>
      addNote({ tx, actor: desk.kim }, request.id, "CANARY of the house"),
    );
    const seen = await track(actor, request.id);
    expect(seen.timeline.map(({ title }) => title)).toEqual([
      "One of us began to prepare your backend",
      "We received your request",
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/CANARY|kim|claimed|lease/i);
    expect(seen.features.map(({ title, version }) => [title, version])).toContainEqual([
      "Inventory",
      null,
    ]);
  });

  it("says which lines the project does not hold, while we wait for it to be mended", async () => {
    const { request, actor } = await own();
    await desk.base.admin.query(
      `insert into request_events (request_id, kind, actor_kind, actor_id, data)
       values ($1, 'credentials_problem', 'staff', 'kim', '{"failed": ["database-login", "anon-key", "unheard-of"]}')`,
      [request.id],
    );
    expect((await track(actor, request.id)).toMend).toEqual([]);
    await desk.plant(request.id, { status: "waiting_on_customer" });
    expect((await track(actor, request.id)).toMend).toEqual(["anon-key", "database-login"]);
  });

  it("tells a run that one of us ended from one that failed", async () => {
    const { request, actor } = await own();
    const failedBy = async (code: string) => {
      await desk.plant(request.id, { status: "failed" });
      await desk.base.admin.query(
        "update provisioning_queue set failure = $2, version = version + 1 where id = $1",
        [request.id, { code, message: "m" }],
      );
      return (await track(actor, request.id)).isPaused;
    };
    expect(await failedBy("sql_step_failed")).toBe(false);
    expect(await failedBy("run_cancelled")).toBe(true);
    expect((await list(actor)).requests[0]?.isPaused).toBe(true);
  });

  it("counts the steps of the newest run while it builds", async () => {
    const { request, actor } = await own();
    await desk.plant(request.id, { status: "migrating" });
    expect((await track(actor, request.id)).progress).toBeNull();
    await desk.base.admin.query(
      `with backend as (
         insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
         values (gen_random_uuid(), $1, $2, 'tracked', 'https://tracked.supabase.co', 'building') returning id
       ), run as (
         insert into provisioning_runs (id, request_id, backend_id, templates)
         select gen_random_uuid(), $2, id, '{}' from backend returning id
       )
       insert into provisioning_steps (id, run_id, position, name, kind, status)
       select gen_random_uuid(), id, n, 'step', 'health', case when n < 2 then 'done' else 'pending' end
       from run, generate_series(0, 4) n`,
      [request.customerId, request.id],
    );
    const seen = await track(actor, request.id);
    expect(seen.progress).toEqual({ done: 2, total: 5 });
    expect(seen.backend).toBeNull();
  });

  it("shows a finished backend, and what became of the owner's link", async () => {
    const { request, actor } = await own();
    await desk.plant(request.id, { status: "completed", ended_at: new Date() });
    const [backend] = await rowsOf(
      `insert into customer_backends (id, customer_id, request_id, project_ref, url, status, installed, ready_at)
       values (gen_random_uuid(), $1, $2, 'finished', 'https://finished.supabase.co', 'ready',
         '{"base": "1.0.0", "inventory": "1.2.0"}', now()) returning id`,
      request.customerId,
      request.id,
    );
    const link = (set: string) =>
      desk.base.admin.query(
        `update one_time_links set ${set} where request_id = $1 and purpose = 'owner'`,
        [request.id],
      );
    const state = async () => (await track(actor, request.id)).ownerLink;
    expect(await state()).toBeNull();
    await desk.base.admin.query(
      `insert into one_time_links (id, purpose, subject_id, request_id, expires_at)
       values (gen_random_uuid(), 'owner', $1, $2, now() + interval '14 days')`,
      [backend.id, request.id],
    );
    await desk.base.admin.query(
      `insert into outbox (id, kind, request_id, recipient) values (gen_random_uuid(), 'ready', $1, 'ann@example.com')`,
      [request.id],
    );
    expect(await state()).toMatchObject({ state: "being_sent", at: null });
    await desk.base.admin.query(
      "update outbox set status = 'dead' where request_id = $1 and kind = 'ready'",
      [request.id],
    );
    expect(await state()).toMatchObject({ state: "not_delivered" });
    await desk.base.admin.query(
      "update outbox set status = 'sent', sent_at = now() where request_id = $1 and kind = 'ready'",
      [request.id],
    );
    expect(await state()).toMatchObject({ state: "waiting", at: expect.any(String) });
    await link("expires_at = now() - interval '1 hour'");
    expect(await state()).toMatchObject({ state: "expired" });
    await link("used_at = now()");
    expect(await state()).toMatchObject({ state: "used" });
    const seen = await track(actor, request.id);
    expect(seen.backend?.url).toBe("https://finished.supabase.co");
    expect(seen.features.find(({ title }) => title === "Inventory")?.version).toBe("1.2.0");
  });
});

describe("cancelling", () => {
  it("takes the request back: its project is free again, and a mail says so", async () => {
    const { request, actor } = await own();
    await desk.base.admin.query(
      `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       values (gen_random_uuid(), $1, $2, 'offered-one', 'https://offered.supabase.co', 'offered')`,
      [request.customerId, request.id],
    );
    await cancel(actor, request.id);
    const [row] = await rowsOf("select * from provisioning_queue where id = $1", request.id);
    expect(row).toMatchObject({ status: "cancelled", ended_at: expect.any(Date) });
    expect(
      await rowsOf("select status from customer_backends where request_id = $1", request.id),
    ).toEqual([{ status: "retired" }]);
    expect(
      await rowsOf(
        "select kind, actor_kind, actor_id from request_events where request_id = $1 order by id desc limit 1",
        request.id,
      ),
    ).toEqual([{ kind: "cancelled", actor_kind: "customer", actor_id: actor.id }]);
    const actions = await rowsOf(
      "select action, actor_kind from audit_log where request_id = $1 and actor_kind = 'customer' order by id",
      request.id,
    );
    expect(actions.map(({ action }) => action)).toEqual(["request.cancelled", "backend.retire"]);
    const mails = () =>
      rowsOf("select 1 from outbox where request_id = $1 and kind = 'cancelled'", request.id);
    expect(await mails()).toHaveLength(1);
    // A second press changes nothing.
    await cancel(actor, request.id);
    expect(await mails()).toHaveLength(1);
  });

  it("is for the customer's own requests alone", async () => {
    const [ann, bob] = [await own(), await own()];
    await expect(cancel(ann.actor, bob.request.id)).rejects.toThrow(RequestNotFoundError);
    await expect(cancel(ann.actor, NO_REQUEST)).rejects.toThrow(RequestNotFoundError);
    expect((await track(bob.actor, bob.request.id)).status).toBe("pending");
  });

  it("is refused once somebody has begun, in words for a customer", async () => {
    const { request, actor } = await own();
    for (const status of [
      "in_progress",
      "waiting_on_customer",
      "migrating",
      "failed",
      "completed",
    ]) {
      await desk.plant(request.id, { status });
      const refusal = await cancel(actor, request.id).catch((error) => error);
      expect(refusal, status).toBeInstanceOf(TooLateToCancelError);
      expect(refusal.message).not.toMatch(/_|in progress/);
    }
  });

  it("against a claim of the same moment has one winner, fifty times", async () => {
    const wins = { cancelled: 0, claimed: 0 };
    for (let round = 0; round < 50; round += 1) {
      const { request, actor } = await own();
      const acts = [() => cancel(actor, request.id), () => claim(request.id)];
      if (round % 2) acts.reverse();
      const outcomes = await Promise.allSettled(acts.map((act) => act()));
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const [row] = await rowsOf(
        "select status, assignee_id from provisioning_queue where id = $1",
        request.id,
      );
      const isCancelled = row.status === "cancelled";
      expect([row.status, row.assignee_id]).toEqual(
        isCancelled ? ["cancelled", null] : ["in_progress", "kim"],
      );
      wins[isCancelled ? "cancelled" : "claimed"] += 1;
    }
    // Both have won at times: the race was one.
    expect(wins.cancelled * wins.claimed).toBeGreaterThan(0);
  });
});

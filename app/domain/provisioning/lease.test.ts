import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CancelledError } from "#app/integrations/postgres/run-errors.ts";
import { type Actor, asActor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import { HeldByOtherError, lockRequest, WrongStateError } from "../queue/index.server.ts";
import { cancelRun } from "./cancel-run.ts";
import { LeaseLostError } from "./errors.ts";
import { completeRun, failRun } from "./finish.ts";
import { giveLeaseBack, type Lease, renewLease, requireLease, takeRun } from "./lease.ts";
import { beginStep, endStep, type Step, startRun, stepsOf } from "./runs.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(async () => {
  await desk.base.shiftClock("0");
  // Each test has its own run: what an earlier one left is nobody's any more.
  await desk.base.admin.query("update provisioning_runs set status = 'cancelled'");
});
afterAll(() => desk.base.drop());

const worker = (name: string): Actor => ({ ...desk.worker, id: name });
const take = (
  name: string,
  runId?: string,
  { runConcurrency = 1_000, ...options }: { runConcurrency?: number; onlyCancelled?: boolean } = {},
) => takeRun({ db: desk.base.db, actor: worker(name), runConcurrency }, runId, options);
const renew = (name: string, lease: Lease) =>
  renewLease({ db: desk.base.db, actor: worker(name) }, lease);

/** From where a lease that was just taken is far from its end, however slow this machine is. */
const EARLIER = "-1 minute";

let projects = 0;

/** A request that stands as migrating, with its backend and a planned run. */
async function newRun(): Promise<string> {
  projects += 1;
  const request = await desk.request();
  await desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     values (gen_random_uuid(), $1, $2, $3, 'https://x', 'building')`,
    [request.customerId, request.id, `project${projects}`],
  );
  await desk.plant(request.id, { status: "migrating", assignee_id: "kim" });
  return desk.as(desk.kim, async (tx) => {
    const backend = await liveBackendOf(tx, request.id);
    if (!backend) throw new Error("There is no backend.");
    const context = { tx, actor: desk.kim };
    return startRun(context, desk.catalog, await lockRequest(tx, request.id), backend);
  });
}

async function taken(name: string, runId?: string): Promise<Lease> {
  const lease = await take(name, runId);
  if (!lease) throw new Error("There was no run to take.");
  return lease;
}

const runRow = async (id: string) =>
  (await desk.base.admin.query("select * from provisioning_runs where id = $1", [id])).rows[0];

describe("a run's lease", () => {
  it("is taken by one of many workers at once", async () => {
    const id = await newRun();
    const leases = await Promise.all(
      Array.from({ length: 10 }, (_, index) => take(`w${index}`, index % 2 ? id : undefined)),
    );
    const won = leases.filter((lease) => lease !== null);
    expect(won).toHaveLength(1);
    expect(won[0]?.run).toMatchObject({ id, status: "running", takeovers: 0 });
    await desk.base.shiftClock(EARLIER);
    expect(await take("late")).toBeNull();
    const { rows } = await desk.base.admin.query(
      "select action, actor_id, data from audit_log where subject_id = $1 and action like 'run.%' order by id",
      [id],
    );
    expect(rows.map(({ action }) => action)).toEqual(["run.create", "run.start"]);
    expect(rows[1]).toMatchObject({
      actor_id: won[0]?.run.leaseOwner,
      data: { token: won[0]?.token },
    });
  });

  it("goes to the oldest run, or to the one that is named", async () => {
    const [first, second, third] = [await newRun(), await newRun(), await newRun()];
    expect((await taken("w1", second)).run.id).toBe(second);
    await desk.base.shiftClock(EARLIER);
    expect((await taken("w1")).run.id).toBe(first);
    await desk.base.shiftClock("-2 minutes");
    expect((await taken("w1")).run.id).toBe(third);
    expect(await take("w1", second)).toBeNull();
  });

  it("holds as long as it is renewed, and is anybody's afterwards, under a larger token", async () => {
    const id = await newRun();
    const first = await taken("w1", id);
    await desk.base.shiftClock("10 minutes");
    await renew("w1", first);
    // Long after it would have ended, and long before it does.
    await desk.base.shiftClock("5 minutes");
    expect(await take("w2", id)).toBeNull();
    await desk.base.shiftClock("20 minutes");
    const second = await taken("w2", id);
    expect(second.token).toBeGreaterThan(first.token);
    expect(second.run).toMatchObject({ takeovers: 1, leaseOwner: "w2" });
    await expect(renew("w1", first)).rejects.toThrow(LeaseLostError);
    await renew("w2", second);
    // The first worker may take it again like anybody else, and is told apart from its former self.
    await desk.base.shiftClock("30 minutes");
    const third = await taken("w1", id);
    expect(third.token).toBeGreaterThan(second.token);
    await expect(renew("w1", first)).rejects.toThrow(LeaseLostError);
  });

  it("that is given back need not be waited for, and cannot be given back by another", async () => {
    const first = await taken("w1", await newRun());
    await giveLeaseBack({ db: desk.base.db, actor: worker("w1") }, first);
    const second = await taken("w2", first.run.id);
    await giveLeaseBack({ db: desk.base.db, actor: worker("w1") }, first);
    await desk.base.shiftClock(EARLIER);
    expect(await take("w3", first.run.id)).toBeNull();
    expect((await runRow(first.run.id)).lease_owner).toBe("w2");
    expect(second.run.takeovers).toBe(1);
  });

  it("is not to be had for a run that has ended", async () => {
    for (const status of ["succeeded", "failed", "needs_person", "cancelled"]) {
      const id = await newRun();
      await desk.base.admin.query("update provisioning_runs set status = $2 where id = $1", [
        id,
        status,
      ]);
      expect(await take("w1", id), status).toBeNull();
    }
  });
});

describe("how many runs are at work", () => {
  /** The runs that this many workers get; on a slow machine one may be taken over at once. */
  const atOnce = async (takers: number, runConcurrency: number): Promise<string[]> => {
    const leases = await Promise.all(
      Array.from({ length: takers }, (_, n) => take(`w${n}`, undefined, { runConcurrency })),
    );
    return [...new Set(leases.flatMap((lease) => (lease ? [lease.run.id] : [])))].sort();
  };

  it("is never more than the bound, however many workers take at the same moment", async () => {
    for (let n = 0; n < 12; n += 1) await newRun();
    expect(await atOnce(10, 4)).toHaveLength(4);
    await desk.base.shiftClock(EARLIER);
    expect(await atOnce(10, 4)).toHaveLength(0);
    const more = await atOnce(10, 7);
    expect(more).toHaveLength(3);
    // Whoever ends makes room for one, named or not.
    const [ended] = more;
    await desk.base.shiftClock("-2 minutes");
    await desk.base.admin.query("update provisioning_runs set status = 'failed' where id = $1", [
      ended,
    ]);
    const { rows } = await desk.base.admin.query(
      "select id from provisioning_runs where status = 'queued' order by created_at desc limit 2",
    );
    expect(await take("named", rows[0]?.id, { runConcurrency: 7 })).not.toBeNull();
    expect(await take("named", rows[1]?.id, { runConcurrency: 7 })).toBeNull();
  });

  it("does not hold up a take-over: the run has its place already, and nobody else gets it", async () => {
    for (let n = 0; n < 4; n += 1) await newRun();
    const begun = await atOnce(4, 2);
    expect(begun).toHaveLength(2);
    await desk.base.shiftClock("1 minute");
    expect(await atOnce(6, 2)).toEqual(begun);
  });

  it("does not hold up the end of a run that waits", async () => {
    await taken("w1", await newRun());
    const waiting = await newRun();
    const full = { runConcurrency: 1 };
    expect(await take("w2", waiting, full)).toBeNull();
    expect(await take("w2", waiting, { ...full, onlyCancelled: true })).toBeNull();
    await desk.base.admin.query(
      "update provisioning_runs set cancel_requested_at = now() where id = $1",
      [waiting],
    );
    expect((await take("w2", undefined, { ...full, onlyCancelled: true }))?.run.id).toBe(waiting);
  });

  it("is one for each backend, whatever asks for another", async () => {
    const id = await newRun();
    const again = desk.base.admin.query(
      `insert into provisioning_runs (id, request_id, backend_id, templates)
       select gen_random_uuid(), request_id, backend_id, templates from provisioning_runs where id = $1`,
      [id],
    );
    await expect(again).rejects.toMatchObject({
      code: "23505",
      constraint: "provisioning_runs_one_per_backend_key",
    });
  });
});

describe("the wish to end a run", () => {
  it("is heard with the next heartbeat, and before the next step", async () => {
    const id = await newRun();
    const lease = await taken("w1", id);
    expect(await renew("w1", lease)).toMatchObject({ cancelRequestedAt: null });
    const [step] = await desk.as(desk.worker, (tx) => stepsOf(tx, id));
    const ask = () =>
      desk.as(desk.kim, (tx) => cancelRun({ tx, actor: desk.kim }, lease.run.requestId));
    await ask();
    expect(await renew("w1", lease)).toMatchObject({ cancelRequestedAt: expect.any(Date) });
    const begin = desk.as(desk.worker, (tx) => beginStep(tx, lease, step as Step));
    await expect(begin).rejects.toThrow(CancelledError);
    const asked = await runRow(id);
    expect(asked).toMatchObject({ status: "running", cancel_requested_by: "kim" });
    // Once more changes nothing.
    await desk.base.shiftClock("1 minute");
    await ask();
    expect(await runRow(id)).toEqual(asked);
    const { rows } = await desk.base.admin.query(
      "select actor_id, data from audit_log where subject_id = $1 and action = 'run.cancel_request'",
      [id],
    );
    expect(rows).toEqual([{ actor_id: "kim", data: { status: "running" } }]);
  });

  it("is for whoever has the request in hand, while a run of it is open", async () => {
    const id = await newRun();
    const { request_id: requestId } = await runRow(id);
    const ask = (who: "kim" | "lou" | "sam") =>
      desk.as(desk[who], (tx) => cancelRun({ tx, actor: desk[who] }, requestId));
    await expect(ask("lou")).rejects.toThrow(HeldByOtherError);
    await ask("sam");
    expect((await runRow(id)).cancel_requested_by).toBe("sam");
    for (const [status, failure] of [
      ["in_progress", null],
      ["failed", { code: "sql_step_failed", message: "x" }],
      ["completed", null],
    ]) {
      await desk.plant(requestId, {
        status,
        failure,
        ended_at: status === "completed" ? new Date() : null,
      });
      await expect(ask("kim"), String(status)).rejects.toThrow(WrongStateError);
    }
    // Its run has ended as it was asked to.
    const failure = { code: "run_cancelled", message: "x" };
    await desk.plant(requestId, { status: "failed", failure, ended_at: null });
    await ask("kim");
  });

  it("meets a worker that writes about the same run without a deadlock", async () => {
    const lease = await taken("w1", await newRun());
    const { requestId } = lease.run;
    const failure = { step: "Base", error: { code: "x", message: "x" }, needsPerson: false };
    const worked = desk.as(desk.worker, async (tx) => {
      await requireLease(tx, lease);
      await sleep(300);
      await failRun({ tx, actor: desk.worker }, lease, failure, "staff@berth.example");
    });
    await sleep(100);
    const asked = desk.as(desk.kim, (tx) => cancelRun({ tx, actor: desk.kim }, requestId));
    await expect(asked).rejects.toThrow(WrongStateError);
    await worked;
  });
});

describe("a worker that has lost the lease", () => {
  const failure = {
    step: "Base",
    error: { code: "x", message: "x" },
    needsPerson: false,
  };

  it("writes not one word more about the run", async () => {
    const id = await newRun();
    const lost = await taken("w1", id);
    await desk.base.shiftClock("1 minute");
    const holder = await taken("w2", id);
    const [step] = await desk.as(desk.worker, (tx) => stepsOf(tx, id));
    const tables = [
      "provisioning_runs",
      "provisioning_steps",
      "provisioning_queue",
      "request_events",
      "customer_backends",
      "one_time_links",
      "outbox",
      "audit_log",
      "pgboss.job",
    ];
    const everything = async () =>
      Promise.all(
        tables.map(
          async (table) =>
            (await desk.base.admin.query(`select t::text from ${table} t order by 1`)).rows,
        ),
      );
    const before = await everything();
    const actor = worker("w1");
    const words: ((lease: Lease, step: Step) => Promise<unknown>)[] = [
      (lease, at) => asActor(desk.base.db, actor, (tx) => beginStep(tx, lease, at)),
      (lease, at) =>
        asActor(desk.base.db, actor, (tx) =>
          endStep({ tx, actor }, lease, at, { status: "done", durationMs: 1, facts: {} }),
        ),
      (lease) => asActor(desk.base.db, actor, (tx) => completeRun({ tx, actor }, lease)),
      (lease) =>
        asActor(desk.base.db, actor, (tx) =>
          failRun({ tx, actor }, lease, failure, "staff@berth.example"),
        ),
    ];
    for (const word of words) {
      await expect(word(lost, step as Step)).rejects.toThrow(LeaseLostError);
    }
    expect(await everything()).toEqual(before);
    for (const word of words.slice(0, 3)) await word(holder, step as Step);
    expect(await everything()).not.toEqual(before);
    // Nor does the holder, once it has ended the run.
    for (const word of words) {
      await expect(word(holder, step as Step)).rejects.toThrow(LeaseLostError);
    }
  });
});

describe("the end of a run", () => {
  const finish = (lease: Lease, needsPerson?: boolean) =>
    desk.as(desk.worker, (tx) =>
      needsPerson === undefined
        ? completeRun({ tx, actor: desk.worker }, lease)
        : failRun(
            { tx, actor: desk.worker },
            lease,
            {
              step: "Auth configuration",
              error: { code: "c", message: "It stopped.", fix: "Mend it.", link: "https://x" },
              needsPerson,
            },
            "staff@berth.example",
          ),
    );
  const mailsOf = async (requestId: string) =>
    (
      await desk.base.admin.query(
        "select kind, recipient, data from outbox where request_id = $1 and kind <> 'received'",
        [requestId],
      )
    ).rows;

  it("that went well makes the backend ready and tells the customer", async () => {
    const lease = await taken("w1", await newRun());
    await finish(lease);
    const { requestId, backendId, templates } = lease.run;
    const { rows } = await desk.base.admin.query(
      `select q.status, q.failure, b.status as backend, b.installed, b.ready_at, r.status as run
       from provisioning_queue q join customer_backends b on b.request_id = q.id
       join provisioning_runs r on r.request_id = q.id where q.id = $1`,
      [requestId],
    );
    expect(rows).toEqual([
      {
        status: "completed",
        failure: null,
        backend: "ready",
        installed: templates,
        ready_at: expect.any(Date),
        run: "succeeded",
      },
    ]);
    expect(await mailsOf(requestId)).toEqual([
      {
        kind: "ready",
        recipient: expect.stringContaining("@example.com"),
        data: { linkPurpose: "owner", linkId: expect.any(String), backendId },
      },
    ]);
  });

  it.each([true, false])(
    "says whether work of its own is due in the database: %s",
    async (hasDue) => {
      const { rows } = await desk.as(desk.worker, async (tx) => {
        const lease = await taken("w1", await newRun());
        await completeRun({ tx, actor: desk.worker }, lease, { hasDue });
        return tx.execute<{ due: boolean }>(
          sql`select due_at is not null as due from customer_backends
          where id = ${lease.run.backendId}`,
        );
      });
      expect(rows).toEqual([{ due: hasDue }]);
    },
  );

  it.each([
    [false, "failed"],
    [true, "needs_person"],
  ] as const)("that did not (person needed: %s) tells staff why", async (needsPerson, status) => {
    const lease = await taken("w1", await newRun());
    await finish(lease, needsPerson);
    const { requestId } = lease.run;
    expect((await runRow(lease.run.id)).status).toBe(status);
    const { rows } = await desk.base.admin.query(
      "select status, failure, assignee_id from provisioning_queue where id = $1",
      [requestId],
    );
    expect(rows[0]).toEqual({
      status: "failed",
      assignee_id: "kim",
      failure: {
        code: "c",
        message: "It stopped.",
        step: "Auth configuration",
        fix: "Mend it.",
        link: "https://x",
      },
    });
    expect(await mailsOf(requestId)).toEqual([
      {
        kind: "failed",
        recipient: "staff@berth.example",
        data: { problem: "Auth configuration — It stopped. — Mend it. — https://x" },
      },
    ]);
  });
});

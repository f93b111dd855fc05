import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plotOf } from "../../../scripts/local/plot.ts";
import { STORIES } from "../../../scripts/local/stories.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import { seedLife } from "../../../tests/support/life.ts";

const DAY_MS = 86_400_000;

describe("the demo's plot", () => {
  const now = new Date("2026-05-13T10:20:30.400Z");

  it("is the same each time, in order, and all of it is past", () => {
    const scenes = plotOf(STORIES, now);
    expect(plotOf(STORIES, now)).toEqual(scenes);
    const times = scenes.map(({ at }) => at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.min(...times)).toBeGreaterThan(now.getTime() - 56 * DAY_MS);
  });

  it("is past at any time of any day", () => {
    for (let minute = 0; minute < 1_440; minute += 7) {
      const start = new Date(now.getTime() + minute * 60_000);
      const last = plotOf(STORIES, start).at(-1)?.at.getTime() ?? 0;
      expect(last).toBeLessThanOrEqual(start.getTime());
    }
  });
});

describe("the life that npm start gives a new database", () => {
  let base: TestDatabase;
  const rows = async (text: string) => (await base.admin.query(text)).rows;

  beforeAll(async () => {
    base = await createTestDatabase();
    await seedLife(base);
  });
  afterAll(() => base.drop());

  it("leaves five requests open, and the rest as the stories say", async () => {
    const counts = await rows(
      "select status, count(*)::int as n from provisioning_queue group by 1 order by 1",
    );
    expect(counts).toEqual([
      { status: "cancelled", n: 2 },
      { status: "completed", n: STORIES.length - 7 },
      { status: "failed", n: 1 },
      { status: "in_progress", n: 1 },
      { status: "pending", n: 2 },
      { status: "waiting_on_customer", n: 1 },
    ]);
  });

  it("leaves a worker nothing of the past: no run, no job, no mail but those of today", async () => {
    expect(
      await rows("select 1 from provisioning_runs where status in ('queued', 'running')"),
    ).toEqual([]);
    const waiting = await rows(`
      select o.kind, c.company from outbox o
      join provisioning_queue q on q.id = o.request_id join customers c on c.id = q.customer_id
      where o.status = 'waiting' order by 2, 1`);
    expect(waiting).toEqual([
      { company: "Lighthouse Books", kind: "received" },
      { company: "Northwind Bakery", kind: "claimed" },
      { company: "Northwind Bakery", kind: "received" },
      { company: "Quayside Bicycles", kind: "received" },
    ]);
    const jobs = await rows(`
      select (select status from outbox o where o.id::text = job.data ->> 'outboxId') as mail
      from pgboss.job job where name not like '\\_\\_%'`);
    expect(jobs).toEqual(Array.from({ length: 4 }, () => ({ mail: "waiting" })));
  });

  it("leaves the clock as it was", async () => {
    expect(await rows("select * from berth_test_clock")).toEqual([]);
    expect(await rows("select 1 where berth_now() <> now()")).toEqual([]);
  });

  it("is consistent: clocks without gaps, promises by the clock, ends by the timeline", async () => {
    const gaps = await rows(`
      select request_id from (
        select request_id, started_at, lag(ended_at) over w as before, row_number() over w as n,
          ended_at, lead(started_at) over w as next
        from request_clock_segments window w as (partition by request_id order by started_at, id)
      ) s where (n > 1 and started_at is distinct from before) or (next is null) <> (ended_at is null)`);
    expect(gaps).toEqual([]);
    const wrongPromises = await rows(`
      select q.id from provisioning_queue q
      join plan_targets t on t.plan_id = q.plan_id and t.priority = q.priority
      where abs(extract(epoch from q.due_at - (q.created_at + t.hours * interval '1 hour' + coalesce((
        select sum(ended_at - started_at) from request_clock_segments s
        where s.request_id = q.id and kind = 'paused' and ended_at is not null), interval '0')))) > 0.01`);
    expect(wrongPromises).toEqual([]);
    const wrongEnds = await rows(`
      select q.id from provisioning_queue q where (q.status in ('completed', 'cancelled')) <> (q.ended_at is not null)
        or q.ended_at is distinct from (select max(at) from request_events e
          where e.request_id = q.id and e.kind in ('completed', 'cancelled'))`);
    expect(wrongEnds).toEqual([]);
    const runs = await rows(`
      select r.status, bool_and(s.status = 'done') as all_done,
        bool_and(s.started_at >= r.started_at and s.ended_at <= r.ended_at) as within_run
      from provisioning_runs r join provisioning_steps s on s.run_id = r.id
      where s.status <> 'pending' group by r.id`);
    expect(runs.every((run) => run.within_run)).toBe(true);
    expect(runs.filter((run) => run.all_done !== (run.status === "succeeded"))).toEqual([]);
    expect(runs.filter((run) => run.status === "failed")).toHaveLength(4);
  });

  it("is recorded in the order in which it happened", async () => {
    for (const table of ["request_events", "audit_log where correlation_id = 'seed'"]) {
      const backwards = await rows(`
        select id from (select id, at, lag(at) over (order by id) as before from ${table}) ordered
        where at < before - interval '3 seconds'`);
      expect(backwards, table).toEqual([]);
    }
  });
});

describe("a crash in the middle", () => {
  it("leaves nothing behind", async () => {
    const base = await createTestDatabase();
    try {
      const sealed = seedLife(base, {
        seal: () => Promise.reject(new Error("the process ended here")),
      });
      await expect(sealed).rejects.toThrow("the process ended here");
      const { rows } = await base.admin.query(`
        select (select count(*) from customers) as customers, (select count(*) from pgboss.job) as jobs,
          (select count(*) from berth_test_clock) as clocks`);
      expect(rows).toEqual([{ customers: "0", jobs: "0", clocks: "0" }]);
    } finally {
      await base.drop();
    }
  });
});

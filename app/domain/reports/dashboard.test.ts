import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Actor, asActor } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import { DEMO_STAFF, seedLife } from "../../../tests/support/life.ts";
import {
  completed,
  failed,
  heldBy,
  queueLink,
  received,
  withStatus,
} from "../../components/dashboard/links.ts";
import { NotStaffError } from "../identity/index.server.ts";
import { listDesk, readDeskFilter } from "../queue/index.server.ts";
import { type Dashboard, readDashboard } from "./index.server.ts";
import { windowsAt } from "./windows.ts";

const DAY_MS = 86_400_000;
const sam: Actor = { kind: "staff", id: DEMO_STAFF.supervisor, origin: "", correlationId: "test" };

let base: TestDatabase;
const read = (actor = sam): Promise<Dashboard> =>
  asActor(base.db, actor, (tx) => readDashboard({ tx, actor }), { snapshot: true });

/** A request as plain rows, for counting by hand. */
interface Plain {
  id: string;
  status: string;
  failure: { code: string } | null;
  created_at: Date;
  due_at: Date | null;
  ended_at: Date | null;
  hours: number;
  company: string;
  assignee_id: string | null;
  events: { kind: string; at: string }[];
}
const everything = async (): Promise<Plain[]> =>
  (
    await base.admin.query(`
      select q.*, t.hours, c.company, (
        select json_agg(json_build_object('kind', e.kind, 'at', e.at) order by e.id)
        from request_events e where e.request_id = q.id) as events
      from provisioning_queue q join customers c on c.id = q.customer_id
      join plan_targets t on t.plan_id = q.plan_id and t.priority = q.priority`)
  ).rows;

/** In the words of the desk: a cancelled run is no failure. */
const standsAs = ({ status, failure }: Plain) =>
  status === "failed" && failure?.code === "run_cancelled" ? "run_cancelled" : status;
const isOpen = (row: Plain) => row.ended_at === null;
const within = (at: Date | string | null | undefined, span: { from: string; to: string }) =>
  at != null && new Date(at) >= new Date(span.from) && new Date(at) < new Date(span.to);
const day = (date: string) => ({ from: `${date}T00:00:00Z`, to: `${date}T00:00:00Z` });

/** PostgreSQL's percentile_cont, by its definition. */
function percentile(values: number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const place = share * (sorted.length - 1);
  const [low = 0, high = low] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * The clock's shifts that the figures are held against: today, and later, when what is open now has
 * become due and late.
 */
describe.each(["0", "1 hour", "5 hours", "3 days", "40 days"])("the figures, %s on", (shift) => {
  let figures: Dashboard;
  let rows: Plain[];
  let now: Date;

  beforeAll(async () => {
    base ??= await seeded();
    await base.shiftClock(shift);
    figures = await read();
    now = new Date(figures.windows.last7.to);
    rows = await everything();
  });

  const late = () => rows.filter((row) => isOpen(row) && row.due_at !== null && row.due_at <= now);
  const soon = () =>
    rows.filter(
      (row) =>
        isOpen(row) &&
        row.due_at !== null &&
        row.due_at > now &&
        row.due_at.getTime() - now.getTime() < row.hours * 900_000,
    );

  it("count what is open, by state and by promise", async () => {
    for (const { status, count } of figures.statuses) {
      expect(count, status).toBe(rows.filter((row) => standsAs(row) === status).length);
    }
    expect(figures.statuses).toContainEqual({ status: "run_cancelled", count: 1 });
    expect(figures.statuses.reduce((sum, { count }) => sum + count, 0)).toBe(
      rows.filter(isOpen).length,
    );
    expect(figures.due).toEqual({
      late: late().length,
      soon: soon().length,
      paused: rows.filter((row) => isOpen(row) && row.due_at === null).length,
      fine:
        rows.filter((row) => isOpen(row) && row.due_at !== null).length -
        late().length -
        soon().length,
    });
  });

  it("name the most urgent of what is late and due soon", () => {
    const named = (list: Plain[]) =>
      list
        .sort((a, b) => Number(a.due_at) - Number(b.due_at))
        .slice(0, 5)
        .map(({ company }) => company);
    expect(figures.late.map(({ company }) => company)).toEqual(named(late()));
    expect(figures.soon.map(({ company }) => company)).toEqual(named(soon()));
  });

  it("count what came in, was finished and failed in 7 days, the 7 before, and 30", () => {
    for (const [flow, span] of [
      [figures.week, figures.windows.last7],
      [figures.weekBefore, figures.windows.previous7],
      [figures.month, figures.windows.last30],
    ] as const) {
      const done = rows.filter((row) => row.status === "completed" && within(row.ended_at, span));
      const kept = done.filter((row) => Number(row.ended_at) <= Number(row.due_at));
      const failed = rows.filter((row) =>
        row.events.some(
          ({ kind, at }) => ["failed", "needs_person"].includes(kind) && within(at, span),
        ),
      );
      expect(flow).toEqual({
        arrived: rows.filter((row) => within(row.created_at, span)).length,
        completed: done.length,
        kept: kept.length,
        broken: done.length - kept.length,
        failed: failed.length,
      });
    }
    const length = ({ from, to }: { from: string; to: string }) =>
      (Date.parse(to) - Date.parse(from)) / DAY_MS;
    const { last7, previous7, last30 } = figures.windows;
    expect([last7, previous7, last30].map(length)).toEqual([7, 7, 30]);
    expect(previous7.to).toBe(last7.from);
  });

  it("measure how long it took, as a whole and by phase", () => {
    const done = rows.filter(
      (row) => row.status === "completed" && within(row.ended_at, figures.windows.last30),
    );
    const first = (row: Plain, wanted: string) =>
      new Date(row.events.find(({ kind }) => kind === wanted)?.at ?? Number.NaN).getTime();
    const spread = (from: (row: Plain) => number, to: (row: Plain) => number) => {
      const values = done.map((row) => to(row) - from(row));
      const of = (share: number) => {
        const value = percentile(values, share);
        return value === null ? null : expect.closeTo(value, 0);
      };
      return { median: of(0.5), p95: of(0.95) };
    };
    const received = (row: Plain) => row.created_at.getTime();
    const claimed = (row: Plain) => first(row, "claimed");
    const submitted = (row: Plain) => first(row, "credentials_submitted");
    const ended = (row: Plain) => Number(row.ended_at);
    expect(figures.durations).toEqual({
      count: done.length,
      whole: spread(received, ended),
      waiting: spread(received, claimed),
      preparing: spread(claimed, submitted),
      building: spread(submitted, ended),
    });
  });

  it("count the runs that ended, and how many of them well", async () => {
    const { rows: runs } = await base.admin.query("select status, ended_at from provisioning_runs");
    const ended = runs.filter((run) => within(run.ended_at, figures.windows.last30));
    expect(figures.runs).toEqual({
      ended: ended.length,
      succeeded: ended.filter(({ status }) => status === "succeeded").length,
    });
  });

  it("say what each one on the staff has in hand", () => {
    const byPerson = Object.fromEntries(figures.loads.map((load) => [load.userId, load]));
    for (const [role, userId] of Object.entries(DEMO_STAFF)) {
      expect(byPerson[userId]).toMatchObject({
        role,
        capacity: 10,
        onDuty: true,
        held: rows.filter((row) => isOpen(row) && row.assignee_id === userId).length,
      });
    }
    expect(figures.loads).toHaveLength(3);
  });

  it("draw 30 days and 12 weeks in UTC, without a gap", () => {
    expect(figures.days).toHaveLength(30);
    expect(figures.weeks).toHaveLength(12);
    for (const stretches of [figures.days, figures.weeks]) {
      const gaps = stretches.filter(
        ({ from }, place) => place > 0 && from !== stretches[place - 1]?.to,
      );
      expect(gaps).toEqual([]);
      expect(
        within(now, {
          from: day(stretches.at(-1)?.from ?? "").from,
          to: day(stretches.at(-1)?.to ?? "").to,
        }),
      ).toBe(true);
    }
    const completed = (span: { from: string; to: string }) =>
      rows.filter((row) => row.status === "completed" && within(row.ended_at, span));
    for (const { from, to, ...counts } of figures.days) {
      const span = { from: day(from).from, to: day(to).to };
      expect(counts, from).toEqual({
        arrived: rows.filter((row) => within(row.created_at, span)).length,
        completed: completed(span).length,
      });
    }
    for (const { from, to, ...counts } of figures.weeks) {
      const span = { from: day(from).from, to: day(to).to };
      expect(new Date(span.from).getUTCDay(), "a week begins on Monday").toBe(1);
      expect(counts, from).toEqual({
        completed: completed(span).length,
        kept: completed(span).filter((row) => Number(row.ended_at) <= Number(row.due_at)).length,
      });
    }
  });
});

describe("the list behind each number", () => {
  /** How many requests the desk's queue lists at this address, over all its pages. */
  const lengthOf = (address: string) =>
    asActor(base.db, sam, async (tx) => {
      const params = new URL(address, "http://berth.invalid").searchParams;
      let length = 0;
      for (;;) {
        const { filter, ignored } = readDeskFilter(params, sam.id);
        expect(ignored, address).toEqual([]);
        const { rows, nextCursor } = await listDesk(tx, filter);
        length += rows.length;
        if (nextCursor === null) return length;
        params.set("cursor", nextCursor);
      }
    });

  it.each(["0", "5 hours", "3 days"])("has exactly as many requests, %s on", async (shift) => {
    await base.shiftClock(shift);
    const figures = await read();
    const { last7, previous7, last30 } = figures.windows;
    const behind: [number, string][] = [
      ...figures.statuses.map(({ status, count }): [number, string] => [count, withStatus(status)]),
      ...figures.loads.map(({ userId, held }): [number, string] => [held, heldBy(userId)]),
      [figures.due.late, queueLink({ due: "late" })],
      [figures.due.soon, queueLink({ due: "soon" })],
      [figures.durations.count, completed(last30)],
    ];
    for (const [flow, window] of [
      [figures.week, last7],
      [figures.weekBefore, previous7],
      [figures.month, last30],
    ] as const) {
      behind.push(
        [flow.arrived, received(window)],
        [flow.completed, completed(window)],
        [flow.kept, completed(window, "kept")],
        [flow.broken, completed(window, "broken")],
        [flow.failed, failed(window)],
      );
    }
    for (const day of figures.days) {
      behind.push([day.arrived, received(day)], [day.completed, completed(day)]);
    }
    for (const week of figures.weeks) {
      behind.push(
        [week.completed, completed(week)],
        [week.kept, completed(week, "kept")],
        [week.completed - week.kept, completed(week, "broken")],
      );
    }
    for (const [count, address] of behind) expect(await lengthOf(address), address).toBe(count);
    expect(behind.filter(([count]) => count > 0).length).toBeGreaterThan(30);
  });
});

describe("the dashboard", () => {
  it("is for active staff alone", async () => {
    await expect(read({ ...sam, id: "nobody" })).rejects.toThrow(NotStaffError);
  });

  it("leaves who is no longer on the staff out of the loads", async () => {
    await base.admin.query("update admin_users set deactivated_at = now() where user_id = $1", [
      DEMO_STAFF.operator,
    ]);
    expect((await read()).loads.map(({ userId }) => userId)).not.toContain(DEMO_STAFF.operator);
  });

  it("of an empty house is all zeros, and says so", async () => {
    const empty = await createTestDatabase();
    try {
      await empty.admin.query(`
        insert into auth."user" (id, name, email, email_verified) values ('sam', 'Sam', 's@x.example', true);
        insert into admin_users (user_id, role) values ('sam', 'supervisor')`);
      const figures = await asActor(empty.db, sam, (tx) => readDashboard({ tx, actor: sam }));
      expect(figures).toMatchObject({
        everReceived: false,
        late: [],
        soon: [],
        runs: { ended: 0, succeeded: 0 },
        durations: { count: 0, whole: { median: null, p95: null } },
        week: { arrived: 0, completed: 0, kept: 0, broken: 0, failed: 0 },
      });
    } finally {
      await empty.drop();
    }
  });

  it("cuts weeks at Monday, also on a Sunday and over the new year", () => {
    const lastWeek = (now: string) => windowsAt(new Date(now)).weeks.at(-1)?.from;
    expect(lastWeek("2026-05-17T23:59:59.999Z")).toBe("2026-05-11T00:00:00.000Z");
    expect(lastWeek("2026-05-18T00:00:00.000Z")).toBe("2026-05-18T00:00:00.000Z");
    expect(lastWeek("2027-01-01T12:00:00.000Z")).toBe("2026-12-28T00:00:00.000Z");
  });
});

async function seeded(): Promise<TestDatabase> {
  const made = await createTestDatabase();
  await seedLife(made);
  // Two requests more stand as failed: one by a failure, one since a person cancelled its run.
  await made.admin.query(`
    begin; set local session_replication_role = replica;
    update provisioning_queue set status = 'failed', due_at = coalesce(due_at, berth_now()),
      failure = jsonb_build_object('code', wanted.code, 'message', 'It ended.')
    from (select id, (array['drift', 'run_cancelled'])[row_number() over (order by id)] as code
      from provisioning_queue where status = 'pending' order by id limit 2) wanted
    where wanted.id = provisioning_queue.id;
    commit`);
  return made;
}

afterAll(() => base.drop());

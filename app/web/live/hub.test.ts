import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimRequest, releaseRequest } from "#app/domain/queue/index.server.ts";
import { createLogger } from "#app/platform/log.ts";
import { eventually } from "../../../tests/support/client.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { type Hub, type HubOptions, openHub, STREAMS_PER_PERSON } from "./hub.ts";
import { type Watcher, WHOLE_QUEUE } from "./watchers.ts";

let desk: Desk;
const hubs: Hub[] = [];
const living = new Set<string>();

beforeEach(async () => {
  desk = await openDesk();
  living.clear();
});
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
  await desk.base.drop();
});

async function open(options: Partial<HubOptions> = {}): Promise<Hub> {
  const hub = openHub({
    db: desk.base.db,
    connectionString: desk.base.databaseUrl,
    log: createLogger({ level: "silent" }),
    livingSessions: async (ids) => new Set(ids.filter((id) => living.has(id))),
    ...options,
  });
  hubs.push(hub);
  await hub.ready;
  return hub;
}

/** A watcher that keeps what it is told. */
function watch(hub: Hub, wish: Partial<Watcher> = {}, options = { isSignedIn: true }) {
  const words: { event: string; data: Record<string, unknown> }[] = [];
  const state = { isEnded: false };
  const watcher: Watcher = {
    sessionId: "session",
    userId: "person",
    topic: WHOLE_QUEUE,
    isCustomer: false,
    endsAt: Number.POSITIVE_INFINITY,
    send(frame) {
      const text = frame.toString();
      for (const block of text.split("\n\n")) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
        const data = field("data");
        if (data === undefined) continue;
        words.push({ event: field("event") ?? "", data: JSON.parse(data) });
      }
    },
    end() {
      state.isEnded = true;
    },
    ...wish,
  };
  if (options.isSignedIn) living.add(watcher.sessionId);
  const stop = hub.watch(watcher);
  const of = (event: string) => words.filter((word) => word.event === event);
  return {
    words,
    state,
    stop,
    of,
    /** What happened to requests after they were made: how long that takes to be told may vary. */
    kinds: () =>
      of("")
        .map(({ data }) => data.kind)
        .filter((kind) => kind !== "received"),
    ids: () => of("").map(({ data }) => data.id as number),
  };
}

/** Waits until this holds. */
const until = (what: string, holds: () => boolean | Promise<boolean>) =>
  eventually(`that ${what}`, async () => holds(), 20_000, 10);

const claim = (id: string) => desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
const release = (id: string) =>
  desk.as(desk.kim, (tx) => releaseRequest({ tx, actor: desk.kim }, id));

/** Ends the connections that listen, as a restart of the database would. */
const cutListeners = () =>
  desk.base.admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'berth-live' and datname = current_database()",
  );

describe("events", () => {
  it("reach every process, each once, and only who watches them", async () => {
    const [one, two] = [await open(), await open()];
    const mine = await desk.request();
    const other = await desk.request();
    const watchers = [
      watch(one, { topic: mine.id }),
      watch(two, { topic: mine.id }),
      watch(one),
      watch(two),
    ];
    const [left] = watchers;
    const gone = watch(one, { topic: mine.id });
    if (typeof gone.stop === "function") gone.stop();
    await claim(mine.id);
    await claim(other.id);
    await until("all were told", () => watchers[3]?.kinds().length === 2);
    await until("all were told", () => watchers[2]?.kinds().length === 2);
    await sleep(50);
    expect(watchers.map((watcher) => watcher.kinds())).toEqual([
      ["claimed"],
      ["claimed"],
      ["claimed", "claimed"],
      ["claimed", "claimed"],
    ]);
    expect(left?.of("").at(-1)?.data).toEqual({
      id: expect.any(Number),
      requestId: mine.id,
      kind: "claimed",
    });
    expect(gone.words).toEqual([]);
  });

  it("that commit out of order are all told", async () => {
    const hub = await open();
    const all = watch(hub);
    const { id } = await desk.request();
    const insert = `insert into request_events (request_id, kind, actor_kind, actor_id)
      values ('${id}', $1, 'worker', 'test') returning id`;
    const [slow, fast] = [await desk.base.admin.connect(), await desk.base.admin.connect()];
    try {
      await slow.query("begin");
      const early = Number((await slow.query(insert, ["early"])).rows[0].id);
      const late = Number((await fast.query(insert, ["late"])).rows[0].id);
      expect(late).toBeGreaterThan(early);
      await until("the later id was told", () => all.ids().includes(late));
      expect(all.ids()).not.toContain(early);
      await slow.query("commit");
      await until("the earlier id was told", () => all.ids().includes(early));
    } finally {
      slow.release();
      fast.release();
    }
  });

  it("of the time without a connection are told afterwards, once, late ids too", async () => {
    const hub = await open();
    const { id } = await desk.request();
    const all = watch(hub);
    await claim(id);
    await until("the first was told", () => all.kinds().length === 1);

    // Holds an id from before the loss. Of another request: an insert shares the lock of its own.
    const other = await desk.request();
    const slow = await desk.base.admin.connect();
    await slow.query("begin");
    await slow.query("set local idle_in_transaction_session_timeout = '30s'");
    await slow.query(`insert into request_events (request_id, kind, actor_kind, actor_id)
      values ('${other.id}', 'early', 'worker', 'test')`);
    await release(id);
    await until("the second was told", () => all.kinds().length === 2);
    // Commits in the same moment as the listener dies: nobody can hear it.
    await cutListeners();
    await slow.query("commit");
    slow.release();
    await claim(id);
    await until("all was told", () => all.kinds().length >= 4);
    await sleep(300);
    expect([...all.kinds()].sort()).toEqual(["claimed", "claimed", "early", "released"]);
    expect(new Set(all.ids()).size).toBe(all.ids().length);
  });

  it("that are too many to tell make everybody look again", async () => {
    const hub = await open();
    const { id } = await desk.request();
    const all = watch(hub);
    await desk.base.admin.query("alter role berth_app nologin");
    try {
      await cutListeners();
      await desk.base.admin.query(`insert into request_events (request_id, kind, actor_kind, actor_id)
        select '${id}', 'many', 'worker', 'test' from generate_series(1, 2500)`);
    } finally {
      await desk.base.admin.query("alter role berth_app login");
    }
    await until("it was told", () => all.of("refresh").length === 1);
    expect(all.kinds().length).toBe(0);
    await claim(id);
    await until("the next one was told", () => all.kinds().includes("claimed"));
  });

  it("of the house's own business are nameless for a customer", async () => {
    const hub = await open();
    const { id } = await desk.request();
    const customer = watch(hub, { topic: id, isCustomer: true });
    await desk.base.admin.query(`insert into request_events (request_id, kind, actor_kind, actor_id, data)
      values ('${id}', 'note', 'staff', 'kim', '{"text": "CANARY"}')`);
    await until("it was told", () => customer.kinds().length === 1);
    expect(customer.of("").at(-1)?.data).toEqual({
      id: expect.any(Number),
      requestId: id,
      kind: "changed",
    });
  });

  it("that are no changes of a request come as progress, to who watches that one", async () => {
    const hub = await open();
    const { id } = await desk.request();
    const [mine, all, other] = [
      watch(hub, { topic: id, isCustomer: true }),
      watch(hub),
      watch(hub, { topic: "00000000-0000-7000-8000-000000000000" }),
    ];
    for (let step = 0; step < 5; step += 1) {
      await desk.base.admin.query("select pg_notify('berth_progress', $1)", [id]);
    }
    await until("it was told", () => mine.of("progress").length > 0);
    expect(mine.of("progress")[0]?.data).toEqual({ requestId: id });
    expect(mine.of("progress").length).toBeLessThanOrEqual(3);
    // The queue's own pages show no progress: reading them again would be in vain.
    expect([...all.of("progress"), ...other.of("progress")]).toEqual([]);
  });
});

describe("streams", () => {
  it("end with their session, and others stay", async () => {
    const hub = await open();
    const [ended, other] = [watch(hub, { sessionId: "a" }), watch(hub, { sessionId: "b" })];
    await desk.base.admin.query(`
      insert into auth.account (id, user_id, account_id, provider_id, password)
        values ('k', 'kim', 'kim', 'credential', 'x');
      insert into auth.session (id, user_id, token, expires_at) values ('a', 'kim', 't', now());
      delete from auth.session where id = 'a'`);
    await until("it ended", () => ended.state.isEnded);
    expect(other.state.isEnded).toBe(false);
  });

  it("end with their session when its end could not be heard", async () => {
    const hub = await open();
    const [ended, other] = [watch(hub, { sessionId: "a" }), watch(hub, { sessionId: "b" })];
    living.delete("a");
    await cutListeners();
    await until("it ended", () => ended.state.isEnded);
    expect(other.state.isEnded).toBe(false);
  });

  it("end with a session that runs out", async () => {
    const hub = await open({ sessionCheckMs: 50 });
    const ended = watch(hub, { sessionId: "a" });
    living.delete("a");
    await until("it ended", () => ended.state.isEnded);
  });

  it("end with a session that was over before they began", async () => {
    const hub = await open();
    const other = watch(hub, { sessionId: "b" });
    const ended = watch(hub, { sessionId: "a" }, { isSignedIn: false });
    await until("it ended", () => ended.state.isEnded);
    expect(other.state.isEnded).toBe(false);
  });

  it("end when nobody can say whether their session holds", async () => {
    const hub = await open({
      livingSessions: () => Promise.reject(new Error("the database is away")),
    });
    const ended = watch(hub);
    await until("it ended", () => ended.state.isEnded);
  });

  it("are bounded for each person", async () => {
    const hub = await open();
    const opened = Array.from({ length: STREAMS_PER_PERSON }, () => watch(hub));
    expect(opened.every(({ stop }) => typeof stop === "function")).toBe(true);
    expect(watch(hub).stop).toBe("person");
    expect(watch(hub, { sessionId: "other" }).stop).toBe("person");
    expect(typeof watch(hub, { sessionId: "other", userId: "other" }).stop).toBe("function");
    const [first] = opened;
    if (typeof first?.stop === "function") first.stop();
    expect(typeof watch(hub).stop).toBe("function");
  });

  it("all end at once, and no more are taken", async () => {
    const hub = await open();
    const opened = [watch(hub), watch(hub, { sessionId: "other" })];
    hub.endStreams();
    expect(opened.map(({ state }) => state.isEnded)).toEqual([true, true]);
    expect(watch(hub).stop).toBe("process");
  });

  it("hear a heartbeat", async () => {
    const hub = await open({ heartbeatMs: 30 });
    const all = watch(hub);
    await until("it beat", () => all.of("alive").length > 1);
  });
});

describe("positions", () => {
  const placeOf = (watcher: ReturnType<typeof watch>) => watcher.of("position").at(-1)?.data;

  it("are told when they change, to customers alone, and rightly", async () => {
    const hub = await open();
    const [first, second] = [await desk.request(), await desk.request()];
    const mine = watch(hub, { topic: second.id, isCustomer: true });
    const staff = watch(hub, { topic: second.id });
    await until("the place is known", () => placeOf(mine)?.position === 1);
    expect(placeOf(mine)).toEqual({ position: 1, waiting: 2 });
    await desk.request({ priority: "vip" });
    await until("it rose", () => placeOf(mine)?.position === 2);
    await claim(first.id);
    await until("it fell", () => placeOf(mine)?.position === 1);
    await claim(second.id);
    await until("it is over", () => placeOf(mine)?.position === null);
    expect(staff.of("position")).toEqual([]);
    const told = mine.of("position").map(({ data }) => JSON.stringify(data));
    expect(told.every((word, index) => word !== told[index - 1])).toBe(true);
  });

  it("come from one pass for many changes, however many watch", async () => {
    const hub = await open();
    const made = [];
    for (let count = 0; count < 12; count += 1) made.push(await desk.request());
    const watchers = made.map(({ id }, index) =>
      watch(hub, { topic: id, isCustomer: true, sessionId: `s${index}` }),
    );
    const toldTo = (one: (typeof watchers)[number]) => one.of("position").length;
    await until("all know their place", () => watchers.every((one) => toldTo(one) > 0));
    const before = watchers.map(toldTo);
    let changes = 0;
    // Each of them changes what everybody behind is told.
    while (changes < 60) {
      for (const { id } of made.slice(0, 3)) await claim(id);
      for (const { id } of made.slice(0, 3)) await release(id);
      changes += 6;
    }
    await until("all are back", () => watchers.every((one) => placeOf(one)?.waiting === 12));
    const passes = Math.max(...watchers.map((one, index) => toldTo(one) - (before[index] ?? 0)));
    expect(passes).toBeLessThan(changes);
    expect(watchers.map((one) => placeOf(one)?.position)).toEqual(made.map((_, index) => index));
  });
});

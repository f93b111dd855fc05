import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import express, { type Response } from "express";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type Auth,
  createAuth,
  livingSessions,
  setPassword,
  signIn,
} from "#app/domain/identity/index.server.ts";
import { claimRequest, type RequestRow, releaseRequest } from "#app/domain/queue/index.server.ts";
import { createLogger } from "#app/platform/log.ts";
import { createDb, type Db } from "#db/index.ts";
import { eventually } from "../../../tests/support/client.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { type Hub, openHub, STREAMS_PER_PERSON } from "./hub.ts";
import { liveStreams, MOST_BUFFERED_BYTES, writeFrame } from "./streams.ts";

const PASSWORD = "a password for tests";

let desk: Desk;
let authDb: Db;
let auth: Auth;
let hub: Hub;
const lines: string[] = [];
const stop = new AbortController();
const server = createServer();
let port = 0;
let mine: RequestRow;
let theirs: RequestRow;
const cookies: Record<string, string> = {};
const opened: IncomingMessage[] = [];

const log = createLogger({ level: "info", destination: { write: (l) => void lines.push(l) } });

async function cookieOf(email: string): Promise<string> {
  const headers = await signIn(auth, { email, password: PASSWORD }, new Headers());
  return headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");
}

async function accountOf(request: RequestRow) {
  const { rows } = await desk.base.admin.query(
    "select user_id, email from customers where id = $1",
    [request.customerId],
  );
  return rows[0] as { user_id: string; email: string };
}

beforeAll(async () => {
  desk = await openDesk();
  authDb = createDb(desk.base.authDatabaseUrl, { applicationName: "t", onError: () => {} });
  auth = createAuth({
    db: authDb,
    appSecret: "x".repeat(40),
    publicUrl: "http://127.0.0.1:3000",
    onError: () => {},
  });
  hub = openHub({
    db: desk.base.db,
    connectionString: desk.base.databaseUrl,
    log,
    livingSessions: (ids) => livingSessions(authDb, ids),
  });
  await hub.ready;
  mine = await desk.request();
  theirs = await desk.request();
  const account = await accountOf(mine);
  for (const userId of ["kim", "lou", account.user_id]) await setPassword(auth, userId, PASSWORD);
  cookies.staff = await cookieOf("kim@berth.example");
  cookies.customer = await cookieOf(account.email);
  const app = express();
  app.use(liveStreams({ hub, db: desk.base.db, auth, log, stopping: stop.signal }));
  server.on("request", app);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  for (const stream of opened.splice(0)) stream.destroy();
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await hub.close();
  await authDb.$client.end();
  await desk.base.drop();
});

/** Opens a path as a browser would; what the stream said so far is in `said`. */
async function open(path: string, cookie?: string, headers: Record<string, string> = {}) {
  const sent = get({
    port,
    host: "127.0.0.1",
    path,
    agent: false,
    headers: { ...headers, ...(cookie ? { cookie } : {}) },
  });
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  opened.push(response);
  const state = { said: "", isEnded: false };
  response.on("data", (chunk) => {
    state.said += chunk;
  });
  response.on("error", () => {});
  response.on("close", () => {
    state.isEnded = true;
  });
  return { response, state, status: response.statusCode };
}

/** Waits until this holds. */
const until = (what: string, holds: () => boolean) =>
  eventually(`that ${what}`, async () => holds(), 20_000, 10);

const claim = (id: string) => desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
const release = (id: string) =>
  desk.as(desk.kim, (tx) => releaseRequest({ tx, actor: desk.kim }, id));
const lastEvent = async () =>
  Number((await desk.base.admin.query("select max(id) as id from request_events")).rows[0].id);
/** How often a kind stands in what a stream said. */
const count = (said: string, kind: string) => said.split(`"kind":"${kind}"`).length - 1;

describe("who may watch", () => {
  it("is asked of everybody: 401 without a session", async () => {
    for (const path of ["/live/queue", `/live/requests/${mine.id}`]) {
      for (const cookie of [undefined, "berth.session_token=forged.signature"]) {
        const { status, response } = await open(path, cookie);
        expect(status, path).toBe(401);
        expect(response.headers["cache-control"]).toBe("no-store");
      }
    }
  });

  it("is the owner and the staff; for others there is nothing, and a line in the log", async () => {
    expect((await open(`/live/requests/${mine.id}`, cookies.customer)).status).toBe(200);
    expect((await open(`/live/requests/${mine.id}`, cookies.staff)).status).toBe(200);
    expect((await open("/live/queue", cookies.staff)).status).toBe(200);
    lines.length = 0;
    const refused = [
      ["/live/queue", cookies.customer],
      [`/live/requests/${theirs.id}`, cookies.customer],
      ["/live/requests/00000000-0000-7000-8000-000000000000", cookies.customer],
      ["/live/requests/00000000-0000-7000-8000-000000000000", cookies.staff],
      ["/live/requests/none", cookies.staff],
      ["/live/requests/%00", cookies.staff],
    ];
    const answers = [];
    for (const [path = "", cookie] of refused) {
      const { status, state, response } = await open(path, cookie);
      await once(response, "end");
      answers.push(`${status} ${state.said}`);
    }
    expect(new Set(answers)).toEqual(new Set(["404 There is nothing here.\n"]));
    const logged = lines.map((line) => JSON.parse(line));
    expect(logged.filter((line) => line.msg === "a stream was refused")).toHaveLength(
      refused.length,
    );
    expect(logged[1]).toMatchObject({ topic: theirs.id, userId: expect.any(String) });
    expect(lines.join()).not.toContain("@example.com");
  });

  it("no longer holds for staff whose account is closed", async () => {
    const cookie = await cookieOf("lou@berth.example");
    await desk.base.admin.query(
      "update admin_users set deactivated_at = now() where user_id = 'lou'",
    );
    expect((await open("/live/queue", cookie)).status).toBe(404);
    await desk.base.admin.query("update admin_users set deactivated_at = null");
  });
});

describe("a stream", () => {
  it("says that it is one, begins at once, and tells ids and kinds alone", async () => {
    const { response, state } = await open(`/live/requests/${mine.id}`, cookies.customer);
    expect(response.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    await until("it began", () => state.said.includes("event: alive"));
    expect(state.said).toMatch(/^retry: \d{4}\n\n/);
    await until("the place is told", () => state.said.includes("event: position"));
    await claim(mine.id);
    await until("it was told", () => count(state.said, "claimed") === 1);
    const id = await lastEvent();
    expect(state.said).toContain(
      `id: ${id}\ndata: {"id":${id},"requestId":"${mine.id}","kind":"claimed"}\n\n`,
    );
    expect(state.said).not.toMatch(/kim|example/i);
    await release(mine.id);
  });

  it("goes on from the last event that the browser knows", async () => {
    const since = await lastEvent();
    await claim(mine.id);
    await release(mine.id);
    await claim(theirs.id);
    await release(theirs.id);
    const headers = { "last-event-id": String(since) };
    const own = await open(`/live/requests/${mine.id}`, cookies.customer, headers);
    await until("it was told", () => count(own.state.said, "released") > 0);
    expect(own.state.said).toContain("claimed");
    expect(own.state.said).not.toContain(theirs.id);
    const all = await open("/live/queue", cookies.staff, headers);
    await until("it was told", () => all.state.said.includes(theirs.id));
    const fresh = await open("/live/queue", cookies.staff);
    const garbled = await open("/live/queue", cookies.staff, { "last-event-id": "1 or 1=1" });
    await until("they began", () => [fresh, garbled].every(({ state }) => state.said.length > 0));
    await sleep(100);
    expect(fresh.state.said + garbled.state.said).not.toContain("kind");
  });

  it("tells to look again where too much was missed", async () => {
    const since = await lastEvent();
    await desk.base.admin.query(
      `insert into request_events (request_id, kind, actor_kind, actor_id)
       select $1, 'many', 'worker', 'test' from generate_series(1, 300)`,
      [theirs.id],
    );
    const { state } = await open("/live/queue", cookies.staff, { "last-event-id": String(since) });
    await until("it was told", () => state.said.includes("event: refresh"));
  });

  it("ends with its session", async () => {
    const account = await accountOf(mine);
    const { state } = await open(`/live/requests/${mine.id}`, await cookieOf(account.email));
    const staff = await open("/live/queue", cookies.staff);
    await desk.base.admin.query("delete from auth.session where user_id = $1", [account.user_id]);
    await until("it ended", () => state.isEnded);
    expect(staff.state.isEnded).toBe(false);
    expect((await open(`/live/requests/${mine.id}`, cookies.customer)).status).toBe(401);
  });

  it("ends by itself in time", async () => {
    const app = express();
    app.use(
      liveStreams({ hub, db: desk.base.db, auth, log, stopping: stop.signal, lifetimeMs: 100 }),
    );
    const short = createServer(app).listen(0, "127.0.0.1");
    await once(short, "listening");
    const [usual, brief] = [port, (short.address() as AddressInfo).port];
    port = brief;
    const { state } = await open("/live/queue", cookies.staff);
    port = usual;
    await until("it ended", () => state.isEnded);
    short.close();
  });

  it("is one of a bounded number for each person, whatever the session", async () => {
    const cookie = await cookieOf("kim@berth.example");
    for (let count = 0; count < STREAMS_PER_PERSON; count += 1) {
      expect((await open("/live/queue", cookie)).status).toBe(200);
    }
    const { status, response } = await open("/live/queue", await cookieOf("kim@berth.example"));
    expect(status).toBe(429);
    expect(response.headers["retry-after"]).toBe("10");
  });

  it("is cut off when the client does not read, long before memory runs out", () => {
    // Takes nothing: what is written stays in its buffer.
    const stuck = new Writable({ write: () => {} }) as unknown as Response;
    const frame = Buffer.alloc(1_000, "x");
    let most = 0;
    for (let count = 0; count < 1_000; count += 1) {
      writeFrame(stuck, frame, log);
      most = Math.max(most, stuck.writableLength);
    }
    expect(stuck.destroyed).toBe(true);
    expect(most).toBeLessThan(MOST_BUFFERED_BYTES + 2 * frame.length);
  });

  it("ends at once when the process stops, and no new one begins", async () => {
    const { state } = await open("/live/queue", cookies.staff);
    stop.abort();
    await until("it ended", () => state.isEnded);
    expect((await open("/live/queue", cookies.staff)).status).toBe(503);
  });
});

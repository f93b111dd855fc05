import { connect as tcpConnect } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Credentials, startTestSandbox, type TestSandbox } from "./test-sandbox.ts";

let box: TestSandbox;
let one: Credentials;
let two: Credentials;

beforeAll(async () => {
  box = await startTestSandbox({ idleAfterMs: 300 });
  [one, two] = await Promise.all([box.project(), box.project()]);
});
afterAll(() => box.remove());

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

async function asleep(directUrl: string): Promise<void> {
  const port = Number(new URL(directUrl).port);
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = tcpConnect(port, "127.0.0.1");
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
      socket.on("close", () => undefined).end();
    });
    if (!open) return;
    await settle();
  }
}

/** Waits until a session of this project stands in its `pg_sleep`, as another one sees it. */
async function sleeping(project: Credentials): Promise<void> {
  const other = await box.connect(project.databaseUrl);
  const sleepers = "select from pg_stat_activity where wait_event = 'PgSleep'";
  while ((await other.query(sleepers)).rowCount !== 1) await settle();
  await other.end();
}

describe("the session pooler", () => {
  test("brings each project to its own database", async () => {
    const [a, b] = await Promise.all([box.connect(one.databaseUrl), box.connect(two.databaseUrl)]);
    await a.query("create table only_in_one (id int)");
    const sql = "select to_regclass('only_in_one') is not null as there, current_user as who";
    expect((await a.query(sql)).rows).toEqual([{ there: true, who: "postgres" }]);
    expect((await b.query(sql)).rows).toEqual([{ there: false, who: "postgres" }]);
    await Promise.all([a.end(), b.end()]);
  });

  test("keeps a session: settings, prepared statements, advisory locks, notifications", async () => {
    const db = await box.connect(one.databaseUrl);
    await db.query("set application_name = 'mine'; select pg_advisory_lock(7)");
    const heard: string[] = [];
    db.on("notification", (message) => heard.push(`${message.payload}`));
    await db.query("listen channel; notify channel, 'hello'");
    await db.query({ name: "one", text: "select $1::int as n", values: [1] });
    expect(
      (await db.query({ name: "one", text: "select $1::int as n", values: [2] })).rows,
    ).toEqual([{ n: 2 }]);
    expect((await db.query("show application_name")).rows[0].application_name).toBe("mine");
    expect(
      (await db.query("select count(*)::int as n from pg_locks where locktype = 'advisory'"))
        .rows[0].n,
    ).toBe(1);
    expect(heard).toEqual(["hello"]);
    await db.end();
  });

  test("speaks TLS only, by its own authority", async () => {
    const url = new URL(one.databaseUrl);
    const options = {
      host: url.hostname,
      port: Number(url.port),
      user: url.username,
      password: url.password,
      database: "postgres",
    };
    const plain = new pg.Client(options);
    await expect(plain.connect()).rejects.toThrow("SSL connection is required");
    const unpinned = new pg.Client({ ...options, ssl: true });
    await expect(unpinned.connect()).rejects.toMatchObject({
      code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED/),
    });
    const direct = await box.connect(`${one.directUrl}`);
    const ssl = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    expect((await direct.query(ssl)).rows).toEqual([{ ssl: true }]);
    await direct.end();
  });

  test("refuses unknown projects and wrong passwords", async () => {
    const unknown = one.databaseUrl.replace(one.ref, "z".repeat(20));
    await expect(box.connect(unknown)).rejects.toMatchObject({
      code: "XX000",
      message: "Tenant or user not found",
    });
    await expect(box.connect(one.databaseUrl.replace(`.${one.ref}`, ""))).rejects.toThrow(
      "Tenant or user not found",
    );
    const crossed = new URL(one.databaseUrl);
    crossed.password = new URL(two.databaseUrl).password;
    await expect(box.connect(crossed.href)).rejects.toMatchObject({ code: "28P01" });
  });

  test("brings a cancel request to the right session", async () => {
    const [a, b] = await Promise.all([box.connect(one.databaseUrl), box.connect(two.databaseUrl)]);
    const sleeps = [a, b].map((client) =>
      client.query("select pg_sleep(30)").catch((error) => error),
    );
    const { processID, secretKey } = a as unknown as { processID: number; secretKey: number };
    const packet = Buffer.alloc(16);
    packet.writeInt32BE(16, 0);
    packet.writeInt32BE(80_877_102, 4);
    packet.writeInt32BE(processID, 8);
    packet.writeInt32BE(secretKey, 12);
    await Promise.all([one, two].map(sleeping));
    tcpConnect(box.sandbox.poolerPort, "127.0.0.1").end(packet);
    expect(await sleeps[0]).toMatchObject({ code: "57014" });
    const busy = await box.connect(two.databaseUrl);
    const active = `select count(*)::int as n from pg_stat_activity
      where state = 'active' and query like 'select pg_sleep%'`;
    expect((await busy.query(active)).rows).toEqual([{ n: 1 }]);
    await busy.query(`select pg_cancel_backend(pid) from pg_stat_activity
      where query like 'select pg_sleep%'`);
    expect(await sleeps[1]).toMatchObject({ code: "57014" });
    await Promise.all([a.end(), b.end(), busy.end()]);
  });

  test("passes on why the server ends a session", async () => {
    const [victim, killer] = await Promise.all([
      box.connect(one.databaseUrl),
      box.connect(one.databaseUrl),
    ]);
    const ended = new Promise<Error>((resolve) => victim.once("error", resolve));
    const pid = (await victim.query("select pg_backend_pid() as pid")).rows[0].pid;
    await killer.query("select pg_terminate_backend($1)", [pid]);
    expect(await ended).toMatchObject({ code: "57P01" });
    await killer.end();
  });

  test("survives garbage", async () => {
    for (const bytes of [
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.from([0, 0, 0, 4]),
      Buffer.alloc(20),
      Buffer.from([0, 0]),
    ]) {
      await new Promise((resolve) => {
        const socket = tcpConnect(box.sandbox.poolerPort, "127.0.0.1");
        socket.on("close", resolve).on("error", () => undefined);
        socket.end(bytes);
        socket.resume();
      });
    }
    await (await box.connect(one.databaseUrl)).end();
  });

  test("waits patiently for a message that comes in pieces", async () => {
    const socket = tcpConnect(box.sandbox.poolerPort, "127.0.0.1");
    const answered = new Promise<string>((resolve) => {
      socket.once("data", (data) => resolve(data.toString("latin1")));
    });
    const request = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
    for (const byte of request) {
      socket.write(Buffer.from([byte]));
      await settle();
    }
    expect(await answered).toBe("S");
    socket.destroy();
  });
});

describe("an idle database", () => {
  test("is stopped, and comes back with the next session or call", async () => {
    const held = await box.connect(one.databaseUrl);
    await held.query("create table kept as select 1 as n");
    await asleep(`${two.directUrl}`);
    expect((await held.query("select n from kept")).rows).toEqual([{ n: 1 }]);
    await held.end();
    await asleep(`${one.directUrl}`);
    const [a, b] = await Promise.all([box.connect(one.databaseUrl), box.connect(one.databaseUrl)]);
    expect((await a.query("select n from kept")).rows).toEqual([{ n: 1 }]);
    await Promise.all([a.end(), b.end()]);
    await asleep(`${one.directUrl}`);
    const users = await fetch(`${one.url}/auth/v1/admin/users`, {
      headers: { apikey: `${one.secretKey}` },
    });
    expect(users.status).toBe(200);
  });

  test("stays while somebody uses its own port", async () => {
    await (await box.connect(one.databaseUrl)).end();
    const direct = await box.connect(`${one.directUrl}`);
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect((await direct.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await direct.end();
  });
});

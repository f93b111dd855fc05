/**
 * A whole Berth whose workers are killed: each takes one run at a time, so that a kill strikes one
 * run alone, and each run reaches its customer's database through a fault proxy of its own.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { isAlive } from "../../local/orphan.ts";
import { localKeys } from "../../scripts/local/keys.ts";
import type { WorkerHandle } from "../../scripts/local/start-local.ts";
import { eventually, PATIENCE_MS, startBerth, type TestBerth } from "./berth.ts";
import type { Evidence } from "./fault-evidence.ts";
import { type FaultedRun, makeFaultedRun } from "./faulted-run.ts";
import { createSandboxFaults, type SandboxFaults } from "./sandbox-faults.ts";
import { secretsIn, secretsInLogs, secretsOf } from "./secrets.ts";
import { installGates } from "./step-gate.ts";
import { openTcpLink, type TcpLink } from "./tcp-link.ts";

export interface FaultLab {
  berth: TestBerth;
  /** Berth's own database, as its superuser. */
  db: pg.Pool;
  sandboxFaults: SandboxFaults;
  /** What a run without any fault leaves. */
  clean: Evidence;
  /** What a run without any fault has sent over its session, in order. */
  cleanScripts: readonly string[];
  /** How long each take-over took, from the moment when the holder went, in milliseconds. */
  takeOverMs: number[];
  newRun(): Promise<FaultedRun>;
  /** Waits until every worker has said that it is ready, those in the place of killed ones too. */
  ready(): Promise<void>;
  /** Whether a worker has ended though no case killed it; it may have taken another case's run. */
  endedByItself(pid: number): boolean;
  /** A worker's link to Berth's own database, where the lab was opened with links. */
  link(pid: number): TcpLink;
  /** Looks for the secrets of every run so far in every log, and in what Berth has written down. */
  secretsInLogs(): Promise<{ logs: number; found: string[] }>;
  stop(): Promise<void>;
}

/** Tables of Berth's own that people read: a secret has no place in them, sealed or not. */
const RECORDS = [
  "audit_log",
  "request_events",
  "provisioning_runs",
  "provisioning_steps",
  "outbox",
];

/**
 * Starts it, and lets one run go undisturbed. `links`: each worker reaches Berth's own database by
 * a link that can fall silent.
 */
export async function openFaultLab(options: {
  workers: number;
  links?: boolean;
}): Promise<FaultLab> {
  const berth = await startBerth({
    workers: 0,
    env: { worker: { WORKER_CONCURRENCY: "1", LOG_LEVEL: "info" } },
    // A proxy's port is known only after the start.
    extraOrigins: ["127.0.0.1:1024-65535"],
  });
  const db = new pg.Pool({ connectionString: berth.local.info.databaseUrl, max: 20 });
  db.on("error", () => undefined);
  const workers: { handle: WorkerHandle; link: TcpLink | null; isKilled: boolean }[] = [];
  /** A worker that ends by itself is started anew, with another id. */
  const killed = new Set<number>();
  const secrets = new Map<string, string>();
  const takeOverMs: number[] = [];

  async function startWorker(): Promise<void> {
    const { passwords } = await localKeys(berth.dataDir);
    const link = options.links ? await openTcpLink(berth.local.ports.database) : null;
    const env = link && {
      DATABASE_URL: `postgresql://berth_app:${passwords.app}@127.0.0.1:${link.port}/berth`,
    };
    workers.push({ handle: berth.local.startWorker(env ?? {}), link, isKilled: false });
  }

  function workerOf(pid: number) {
    const worker = workers.find(({ handle }) => handle.pid === pid);
    if (!worker) throw new Error(`No worker has the process id ${pid}.`);
    return worker;
  }

  async function replaceWorker(pid: number): Promise<void> {
    const worker = workerOf(pid);
    worker.isKilled = true;
    killed.add(pid);
    await worker.handle.kill();
    await startWorker();
  }

  async function ready(): Promise<void> {
    const living = workers.filter(({ isKilled }) => !isKilled).map(({ handle }) => handle.pid);
    await eventually(
      `workers ${living.join(", ")} to be ready`,
      async () => {
        const said = await readyWorkers(berth.dataDir);
        return living.every((pid) => said.has(pid));
      },
      PATIENCE_MS,
    );
  }

  async function newRun(): Promise<FaultedRun> {
    const run = await makeFaultedRun({ berth, db, takeOverMs, replaceWorker });
    for (const [name, secret] of secretsOf(run.project)) secrets.set(name, secret);
    return run;
  }

  async function findSecrets() {
    const { logs, found } = await secretsInLogs(berth.dataDir, secrets);
    for (const table of RECORDS) {
      const { rows } = await db.query(`select string_agg(t::text, ' ') as text from ${table} t`);
      found.push(...secretsIn(rows[0].text ?? "", table, secrets));
    }
    return { logs, found };
  }

  async function stop(): Promise<void> {
    await db.end();
    await berth.stop();
    for (const { link } of workers) await link?.close();
  }

  try {
    await installGates(db);
    for (let n = 0; n < options.workers; n += 1) await startWorker();
    const first = await newRun();
    const cleanScripts: string[] = [];
    first.proxy.watch("client", (message, { application, sql }) => {
      if (message.type === "Q" && application.startsWith("berth:")) cleanScripts.push(sql);
    });
    await first.begin();
    await first.settled();
    const clean = await first.evidence();
    await first.close();
    return {
      berth,
      db,
      sandboxFaults: createSandboxFaults(berth.sandbox),
      clean,
      cleanScripts,
      takeOverMs,
      newRun,
      ready,
      endedByItself: (pid) => !killed.has(pid) && !isAlive(pid),
      link(pid) {
        const { link } = workerOf(pid);
        if (!link) throw new Error("This lab was opened without links.");
        return link;
      },
      secretsInLogs: findSecrets,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The process ids of the workers that have written in their log that they are ready. */
async function readyWorkers(dataDir: string): Promise<Set<number>> {
  const folder = path.join(dataDir, "logs");
  const names = (await readdir(folder)).filter((name) => name.startsWith("worker"));
  const logs = await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
  const lines = logs.flatMap((log) => log.split("\n"));
  const ready = lines.filter((line) => line.includes("the worker is ready"));
  return new Set(ready.map((line) => Number(/"pid":(\d+)/.exec(line)?.[1])));
}

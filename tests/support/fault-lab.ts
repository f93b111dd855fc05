/**
 * A whole Berth whose workers are killed: each takes one run at a time, so that a kill strikes one
 * run alone, and each run reaches its customer's database through a fault proxy of its own.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { localKeys } from "../../scripts/local/keys.ts";
import type { WorkerHandle } from "../../scripts/local/start-local.ts";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  PATIENCE_MS,
  type SandboxProject,
  startBerth,
  type TestBerth,
} from "./berth.ts";
import { type Evidence, gatherEvidence } from "./fault-evidence.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";
import { installGates, type RecordingGate, shutGate } from "./recording-gate.ts";
import { createSandboxFaults, type SandboxFaults } from "./sandbox-faults.ts";
import { secretsInLogs, secretsOf } from "./secrets.ts";
import { openTcpLink, type TcpLink } from "./tcp-link.ts";

export interface Holder {
  pid: number;
  token: number;
}

/** A request of its own, with a project of its own, ready to be submitted. */
export interface FaultedRun {
  requestId: string;
  project: SandboxProject;
  /** Stands between Berth and the customer's database. */
  proxy: FaultProxy;
  /** Submits the credentials, by which the run begins. */
  begin(): Promise<void>;
  /** Who has the lease; waits until somebody has. */
  holder(): Promise<Holder>;
  /** Who has, or had, the lease. */
  lastHolder(): Promise<Holder>;
  /** `kill -9` of the worker that has the lease; another one is started in its place. */
  kill(): Promise<Holder>;
  /** Notes since when (as `Date.now()`) a holder is away, for the time of the take-over. */
  missing(from: Holder, since: number): void;
  /** Waits until somebody else than this holder has, or had, the lease. */
  takenOver(from: Holder): Promise<Holder>;
  /** Keeps the end of a step, or of the run (`RUN_END`), from being recorded. */
  gate(step: string): Promise<RecordingGate>;
  /** A session in the customer's database that does not pass the proxy. */
  customer(): Promise<pg.Client>;
  /** Waits until the request is completed or failed. */
  settled(): Promise<void>;
  evidence(): Promise<Evidence>;
  close(): Promise<void>;
}

export interface FaultLab {
  berth: TestBerth;
  /** Berth's own database, as its superuser. */
  db: pg.Pool;
  sandboxFaults: SandboxFaults;
  /** What a run without any fault leaves. */
  clean: Evidence;
  /** How long each take-over took, from the moment when the holder went, in milliseconds. */
  takeOverMs: number[];
  newRun(): Promise<FaultedRun>;
  /** A worker's link to Berth's own database, where the lab was opened with links. */
  link(pid: number): TcpLink;
  /** See {@link secretsInLogs}, for the secrets of every run so far. */
  secretsInLogs(): Promise<{ logs: number; found: string[] }>;
  stop(): Promise<void>;
}

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
  const workers: { handle: WorkerHandle; link: TcpLink | null }[] = [];
  const secrets = new Map<string, string>();
  const takeOverMs: number[] = [];
  const authority = path.join(berth.dataDir, "sandbox");
  const ca = await readFile(path.join(authority, "ca.crt"), "utf8");
  const sandboxFaults = createSandboxFaults(berth.sandbox);

  async function startWorker(): Promise<void> {
    const { passwords } = await localKeys(berth.dataDir);
    const link = options.links ? await openTcpLink(berth.local.ports.database) : null;
    const env = link && {
      DATABASE_URL: `postgresql://berth_app:${passwords.app}@127.0.0.1:${link.port}/berth`,
    };
    workers.push({ handle: berth.local.startWorker(env ?? {}), link });
  }

  function workerOf(pid: number) {
    const worker = workers.find(({ handle }) => handle.pid === pid);
    if (!worker) throw new Error(`No worker has the process id ${pid}.`);
    return worker;
  }

  async function newRun(): Promise<FaultedRun> {
    const [project, requestId] = await Promise.all([
      berth.sandbox.project({ name: "faulted" }),
      claimedRequest(berth.api),
    ]);
    for (const [name, secret] of secretsOf(project)) secrets.set(name, secret);
    const proxy = await startFaultProxy({
      upstream: { host: "127.0.0.1", port: Number(new URL(project.databaseUrl).port), tls: { ca } },
      authority,
    });
    const sessions: pg.Client[] = [];
    const absences: { token: number; since: number }[] = [];
    const lease = async () => {
      const { rows } = await db.query<{ owner: string | null; token: string; open: boolean }>(
        `select lease_owner as owner, lease_token as token, status = 'running' as open
         from provisioning_runs where request_id = $1`,
        [requestId],
      );
      const pid = /-(\d+)-[0-9a-f]+$/.exec(rows[0]?.owner ?? "")?.[1];
      if (!rows[0] || pid === undefined) return null;
      return { pid: Number(pid), token: Number(rows[0].token), open: rows[0].open };
    };
    const run: FaultedRun = {
      requestId,
      project,
      proxy,
      async begin() {
        const via = new URL(project.databaseUrl);
        via.port = String(proxy.port);
        const credentials = { ...credentialsOf(project), databaseUrl: via.href };
        const at = `/api/queue/${requestId}/credentials`;
        const { status, body } = await berth.api("POST", at, credentials);
        if (status !== 200) throw new Error(`Not submitted: ${JSON.stringify(body)}`);
      },
      holder: () =>
        eventually(
          `a holder of ${requestId}`,
          async () => {
            const now = await lease();
            return now?.open ? now : null;
          },
          PATIENCE_MS,
        ),
      async lastHolder() {
        const last = await lease();
        if (!last) throw new Error(`Nobody ever had ${requestId}.`);
        return last;
      },
      async kill() {
        const holder = await run.holder();
        const { handle } = workerOf(holder.pid);
        const at = Date.now();
        await handle.kill();
        await startWorker();
        run.missing(holder, at);
        return holder;
      },
      takenOver: (from) =>
        eventually(
          `a take-over of ${requestId}`,
          async () => {
            const now = await lease();
            return now && now.token > from.token ? now : null;
          },
          PATIENCE_MS,
        ),
      gate: (step) => shutGate(db, `${requestId}/${step}`),
      async customer() {
        const client = new pg.Client({ connectionString: project.databaseUrl, ssl: { ca } });
        client.on("error", () => undefined);
        await client.connect();
        sessions.push(client);
        return client;
      },
      async settled() {
        const open = `select from provisioning_queue
          where id = $1 and status not in ('completed', 'failed')`;
        await eventually(
          `the end of ${requestId}`,
          async () => (await db.query(open, [requestId])).rowCount === 0,
          PATIENCE_MS,
        );
      },
      missing: (from, since) => void absences.push({ token: from.token, since }),
      async evidence() {
        // By Berth's own audit record, whose clock is this machine's.
        for (const { token, since } of absences) {
          const { rows } = await db.query<{ at: Date }>(
            `select at from audit_log where request_id = $1 and action = 'run.take_over'
             and (data ->> 'token')::bigint > $2 order by id limit 1`,
            [requestId, token],
          );
          if (rows[0]) takeOverMs.push(rows[0].at.getTime() - since);
        }
        return gatherEvidence({ db, sandbox: berth.sandbox, customer: await run.customer(), run });
      },
      async close() {
        for (const session of sessions) await session.end();
        await proxy.close();
        // Its database server is worth more to the next run than to nobody.
        const headers = { authorization: `Bearer ${berth.local.info.supabase.accessToken}` };
        const { managementUrl } = berth.local.info.supabase;
        await fetch(`${managementUrl}/v1/projects/${project.ref}`, { method: "DELETE", headers });
      },
    };

    return run;
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
    await first.begin();
    await first.settled();
    const clean = await first.evidence();
    await first.close();
    return {
      berth,
      db,
      sandboxFaults,
      clean,
      takeOverMs,
      newRun,
      link(pid) {
        const { link } = workerOf(pid);
        if (!link) throw new Error("This lab was opened without links.");
        return link;
      },
      secretsInLogs: () => secretsInLogs(berth.dataDir, secrets),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

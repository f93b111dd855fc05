/** One request with a project of its own, whose run is struck by faults. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { isAlive } from "../../local/orphan.ts";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  PATIENCE_MS,
  type SandboxProject,
  type TestBerth,
} from "./berth.ts";
import { asPlatform, installEffectsLog } from "./effects-log.ts";
import { type Evidence, falseRecords, gatherEvidence } from "./fault-evidence.ts";
import { type FaultProxy, startFaultProxy } from "./proxy.ts";
import { type Gatekeeper, openGatekeeper } from "./step-gate.ts";

export interface Holder {
  pid: number;
  token: number;
}

/** How a PostgreSQL server is ended: in order, like a crash, or its first process by `kill -9`. */
export const RESTARTS = { fast: "SIGINT", immediate: "SIGQUIT", "kill -9": "SIGKILL" } as const;

/** A request of its own, with a project of its own, ready to be submitted. */
export interface FaultedRun {
  requestId: string;
  project: SandboxProject;
  /** Stands between Berth and the customer's database. */
  proxy: FaultProxy;
  /** Shuts gates in Berth's own database. */
  gates: Gatekeeper;
  /** Submits the credentials, by which the run begins. */
  begin(): Promise<void>;
  /** Asks for a retry of the run that has failed. */
  retry(): Promise<void>;
  /** Does something in the customer's database as its platform, past the log of effects. */
  platform(sql: string): Promise<void>;
  /** Who has the lease; waits until somebody has. */
  holder(): Promise<Holder>;
  /** Who has, or had, the lease. */
  lastHolder(): Promise<Holder>;
  /** `kill -9` of the worker that has the lease; another one is started in its place. */
  kill(): Promise<Holder>;
  /** Cuts the run's connections; how many there were. */
  cut(): number;
  /** `pg_terminate_backend` of the run's sessions, or of those of its scratch database; how many there were. */
  terminate(which?: "scratch"): Promise<number>;
  /** Ends the customer's PostgreSQL, which the next connection starts again; how many of the run's
   * sessions it had. */
  endServer(way: keyof typeof RESTARTS): Promise<number>;
  /** Notes since when (as `Date.now()`) a holder is away, for the time of the take-over. */
  missing(from: Holder, since: number): void;
  /** Waits until somebody else than this holder has, or had, the lease. */
  takenOver(from: Holder): Promise<Holder>;
  /** A session in the customer's database that does not pass the proxy. */
  customer(): Promise<pg.Client>;
  /** The process ids of the run's sessions in the customer's database. */
  sessions(): Promise<number[]>;
  /** Whether the request is completed or failed. */
  isSettled(): Promise<boolean>;
  /** Waits until it is. */
  settled(): Promise<void>;
  /** See {@link falseRecords}. */
  falseRecords(): Promise<string[]>;
  /** Reads what the run has left, once its last session has ended. */
  evidence(): Promise<Evidence>;
  close(): Promise<void>;
}

export interface RunGround {
  berth: TestBerth;
  db: pg.Pool;
  takeOverMs: number[];
  /** Kills a worker by its process id, and starts another one. */
  replaceWorker(pid: number): Promise<void>;
}

/** Makes a customer, a request that is claimed, and a project. */
export async function makeFaultedRun(ground: RunGround): Promise<FaultedRun> {
  const { berth, db, takeOverMs } = ground;
  const sandboxDir = path.join(berth.dataDir, "sandbox");
  const ca = await readFile(path.join(sandboxDir, "ca.crt"), "utf8");
  const [project, requestId] = await Promise.all([
    berth.sandbox.project({ name: "faulted" }),
    claimedRequest(berth.api),
  ]);
  await installEffectsLog(sandboxDir, project.ref);
  const proxy = await startFaultProxy({
    upstream: { host: "127.0.0.1", port: Number(new URL(project.databaseUrl).port), tls: { ca } },
    authority: sandboxDir,
  });
  const gates = await openGatekeeper(berth.local.info.databaseUrl, requestId);
  const clients: pg.Client[] = [];
  let terminator: pg.Client | undefined;
  const absences: { token: number; since: number }[] = [];

  async function lease() {
    const { rows } = await db.query<{ owner: string | null; token: string; open: boolean }>(
      `select lease_owner as owner, lease_token as token, status = 'running' as open
       from provisioning_runs where request_id = $1 order by id desc limit 1`,
      [requestId],
    );
    const pid = /-(\d+)-[0-9a-f]+$/.exec(rows[0]?.owner ?? "")?.[1];
    if (!rows[0] || pid === undefined) return null;
    return { pid: Number(pid), token: Number(rows[0].token), open: rows[0].open };
  }

  /** How the request has ended, with what code; null while it is open. */
  async function settledAs(): Promise<string | null> {
    const { rows } = await db.query<{ end: string }>(
      `select concat_ws(' ', status, failure ->> 'code') as end
       from provisioning_queue where id = $1 and status in ('completed', 'failed')`,
      [requestId],
    );
    return rows[0]?.end ?? null;
  }

  /** A session for one act: a server that restarts ends it. */
  async function withCustomer<T>(act: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: project.databaseUrl, ssl: { ca } });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await act(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function noteTakeOvers(): Promise<void> {
    for (const { token, since } of absences) {
      // By Berth's own audit record, whose clock is this machine's.
      const { rows } = await db.query<{ at: Date }>(
        `select at from audit_log where request_id = $1 and action = 'run.take_over'
         and (data ->> 'token')::bigint > $2 order by id limit 1`,
        [requestId, token],
      );
      if (rows[0]) takeOverMs.push(rows[0].at.getTime() - since);
    }
  }

  const RUNS_SESSIONS = "from pg_stat_activity where application_name like 'berth:%'";
  const SCRATCH_SESSIONS = "from pg_stat_activity where application_name like 'berth-scratch%'";
  const run: FaultedRun = {
    requestId,
    project,
    proxy,
    gates,
    async begin() {
      const via = new URL(project.databaseUrl);
      via.port = String(proxy.port);
      const credentials = { ...credentialsOf(project), databaseUrl: via.href };
      const at = `/api/queue/${requestId}/credentials`;
      const { status, body } = await berth.api("POST", at, credentials);
      if (status !== 200) throw new Error(`Not submitted: ${JSON.stringify(body)}`);
    },
    async retry() {
      const { status, body } = await berth.api("POST", `/api/queue/${requestId}/retry`);
      if (status !== 200) throw new Error(`Not retried: ${JSON.stringify(body)}`);
    },
    platform: (sql) => asPlatform(sandboxDir, project.ref, sql),
    holder: () =>
      eventually(
        `a holder of ${requestId}`,
        async () => {
          const now = await lease();
          return now?.open ? now : null;
        },
        PATIENCE_MS,
        20,
      ),
    async lastHolder() {
      const last = await lease();
      if (!last) throw new Error(`Nobody ever had ${requestId}.`);
      return last;
    },
    async kill() {
      const holder = await run.holder();
      const at = Date.now();
      await ground.replaceWorker(holder.pid);
      run.missing(holder, at);
      return holder;
    },
    cut: () => proxy.cutAll().filter(({ application }) => application.startsWith("berth:")).length,
    async terminate(which) {
      // Opened once: the time that it takes would let a step get away.
      terminator ??= await run.customer();
      const sessions = which ? SCRATCH_SESSIONS : RUNS_SESSIONS;
      const { rows } = await terminator.query(
        `select pid ${sessions} and pg_terminate_backend(pid)`,
      );
      return rows.length;
    },
    async endServer(way) {
      const { rows } = await withCustomer((client) =>
        client.query(
          `select current_setting('data_directory') as folder,
             (select count(*)::int ${RUNS_SESSIONS}) as sessions`,
        ),
      );
      const file = await readFile(path.join(rows[0].folder, "postmaster.pid"), "utf8");
      const pid = Number.parseInt(file, 10);
      process.kill(pid, RESTARTS[way]);
      await eventually("the end of a server", async () => !isAlive(pid), PATIENCE_MS, 20);
      return rows[0].sessions;
    },
    takenOver: (from) =>
      eventually(
        `a take-over of ${requestId}`,
        async () => {
          const end = await settledAs();
          const now = await lease();
          if (now && now.token > from.token) return now;
          if (end) throw new Error(`${requestId} ended without a take-over: ${end}.`);
          return null;
        },
        PATIENCE_MS,
      ),
    async customer() {
      const client = new pg.Client({ connectionString: project.databaseUrl, ssl: { ca } });
      client.on("error", () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    sessions: () =>
      withCustomer(async (client) => {
        const { rows } = await client.query<{ pid: number }>(`select pid ${RUNS_SESSIONS}`);
        return rows.map(({ pid }) => pid);
      }),
    isSettled: async () => (await settledAs()) !== null,
    async settled() {
      await eventually(`the end of ${requestId}`, run.isSettled, PATIENCE_MS);
    },
    missing: (from, since) => void absences.push({ token: from.token, since }),
    falseRecords: () => withCustomer((customer) => falseRecords({ db, customer, requestId })),
    async evidence() {
      await noteTakeOvers();
      await eventually(
        `the end of every session of ${requestId}`,
        async () => (await run.sessions()).length === 0,
      );
      return withCustomer((customer) =>
        gatherEvidence({ db, sandbox: berth.sandbox, customer, run }),
      );
    },
    async close() {
      for (const client of clients) await client.end().catch(() => undefined);
      await gates.close();
      await proxy.close();
      // Its database server is worth more to the next run than to nobody.
      const { accessToken, managementUrl } = berth.local.info.supabase;
      const headers = { authorization: `Bearer ${accessToken}` };
      await fetch(`${managementUrl}/v1/projects/${project.ref}`, { method: "DELETE", headers });
    },
  };
  return run;
}

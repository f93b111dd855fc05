import pg from "pg";
import type { LocalInfo } from "../../scripts/local/start-local.ts";
import { ask } from "./berth-stock.ts";
import {
  type Api,
  apiOf,
  eventually,
  type Mail,
  mailAt,
  mailsAt,
  type SandboxClient,
  type SandboxProject,
  sandboxOf,
} from "./client.ts";

export * from "./client.ts";

/** A running Berth, and the ways to talk to it. */
export interface RunningBerth {
  local: { info: LocalInfo };
  dataDir: string;
  api: Api;
  sandbox: SandboxClient;
  /** Waits for a mail to this address whose subject matches. */
  mail(to: string, subject: RegExp): Promise<Mail>;
  mails(): Promise<Mail[]>;
  /** Ends it, or one's part in it. */
  stop(): Promise<void>;
}

/** The ways to talk to a running Berth. */
export function talkTo({ url, apiKey, mailUrl, supabase }: LocalInfo) {
  return {
    api: apiOf(url, apiKey),
    sandbox: sandboxOf(supabase.managementUrl),
    mails: () => mailsAt(mailUrl),
    mail: (to: string, subject: RegExp) => mailAt(mailUrl, to, subject),
  };
}

/**
 * The Berth that the files of the integration tests share, one file after the other. What a file
 * finds in it may be another's: it looks only at what it has made itself. Only the limits of calls and
 * the sandbox's faults are as in a new one. Stop it in `afterAll`.
 */
export async function sharedBerth(): Promise<RunningBerth> {
  const shared = await ask("shared");
  if (!shared) throw new Error("Only the integration tests of vitest.config.ts share a Berth.");
  const { dataDir, info } = shared;
  const { sandbox, ...ways } = talkTo(info);
  await forgiveLimits(info);
  const before = await openRuns(info);
  const projects: SandboxProject[] = [];
  return {
    ...ways,
    local: { info },
    dataDir,
    sandbox: {
      ...sandbox,
      async project(wish) {
        const project = await sandbox.project(wish);
        projects.push(project);
        return project;
      },
    },
    async stop() {
      await sandbox.call("DELETE", "/sandbox/faults");
      try {
        await endRuns(info, before);
      } finally {
        await Promise.all(projects.map(({ ref }) => pause(info, ref)));
      }
    },
  };
}

async function inDatabase<Row extends pg.QueryResultRow>(
  { databaseUrl }: LocalInfo,
  statement: string,
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Each file calls as somebody who has not called before. */
async function forgiveLimits(info: LocalInfo): Promise<void> {
  await inDatabase(info, "delete from rate_limits");
}

/** The requests whose runs the worker has before it. */
async function openRuns(info: LocalInfo): Promise<string[]> {
  const open = "select request_id from provisioning_runs where status in ('queued', 'running')";
  return (await inDatabase<{ request_id: string }>(info, open)).map((run) => run.request_id);
}

/**
 * Cancels the runs that a failed test has left: the worker's places are the next file's.
 *
 * @throws Error naming the requests whose runs do not end
 */
async function endRuns(info: LocalInfo, before: string[]): Promise<void> {
  const left = async () => (await openRuns(info)).filter((id) => !before.includes(id));
  const requests = await left();
  if (requests.length === 0) return;
  await forgiveLimits(info);
  const api = apiOf(info.url, info.apiKey);
  await Promise.all(requests.map((id) => api("POST", `/api/queue/${id}/run/cancel`)));
  const what = `the end of the runs that this file left open, of ${requests.join(", ")}`;
  await eventually(what, async () => (await left()).length === 0);
}

/** Its database server ends; nobody waits for it. One that a test has paused or deleted stays so. */
async function pause({ supabase }: LocalInfo, ref: string): Promise<void> {
  const { managementUrl, accessToken } = supabase;
  const answer = await fetch(`${managementUrl}/v1/projects/${ref}/pause`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
  });
  await answer.body?.cancel();
}

import pg from "pg";
import type { LocalInfo } from "../../scripts/local/start-local.ts";
import { ask } from "./berth-stock.ts";
import {
  type Api,
  apiOf,
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
  await forgiveLimits(info.databaseUrl);
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
      await Promise.all(projects.map(({ ref }) => pause(info, ref)));
    },
  };
}

/** Each file calls as somebody who has not called before. */
async function forgiveLimits(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("delete from rate_limits");
  await client.end();
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

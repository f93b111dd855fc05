import { randomBytes, randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateKey } from "#app/domain/vault/index.server.ts";
import { freePort } from "#local/cluster.ts";
import { buildWhenNeeded } from "../scripts/local/build.ts";
import { type BerthDatabase, TEMPLATES } from "./database.ts";
import { atEnd } from "./ending.ts";
import { type MeasuredServer, ROOT, startProcess } from "./processes.ts";

/** Signs the sessions of the people who are signed in. */
export const APP_SECRET = randomBytes(48).toString("base64");
const START_TIMEOUT_MS = 60_000;

/** Builds the pages as they stand. */
async function build(): Promise<void> {
  const broken = new AbortController();
  const logFile = path.join(tmpdir(), `berth-bench-${randomUUID()}.log`);
  const { signal } = broken;
  const building = buildWhenNeeded({ root: ROOT, logFile, say: () => {}, signal });
  atEnd(async () => {
    broken.abort();
    await building.catch(() => {});
    await rm(logFile, { force: true });
  });
  await building;
}

/** Berth's web process as `npm run web` starts it in production, of the pages as they stand. */
export async function startBerth(
  { databaseUrl, authDatabaseUrl, jobsDatabaseUrl }: BerthDatabase,
  execArgv: string[] = [],
): Promise<MeasuredServer> {
  await build();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const web = startProcess(path.join(ROOT, "app", "server.ts"), {
    execArgv,
    env: {
      HOST: "127.0.0.1",
      PORT: String(port),
      PUBLIC_URL: url,
      DATABASE_URL: databaseUrl,
      AUTH_DATABASE_URL: authDatabaseUrl,
      JOBS_DATABASE_URL: jobsDatabaseUrl,
      ENCRYPTION_KEYS: generateKey(new Date()),
      APP_SECRET,
      // Nothing of this is spoken to.
      SMTP_URL: `smtp://bench:${randomUUID()}@127.0.0.1:9`,
      MAIL_FROM: "berth@berth.localhost",
      STAFF_MAIL: "staff@berth.localhost",
      FEATURE_TEMPLATES_DIR: TEMPLATES,
    },
  });
  for (const end = Date.now() + START_TIMEOUT_MS; Date.now() < end; await sleep(100)) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return { ...web, port };
    // Resolves at once when it has ended.
    if (await Promise.race([web.ended.then(() => true), sleep(0)])) break;
  }
  throw new Error("Berth's web process did not start.");
}

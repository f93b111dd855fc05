import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Local, startLocal } from "../../scripts/local/start-local.ts";
import {
  type Api,
  apiOf,
  type Mail,
  mailAt,
  mailsAt,
  type SandboxClient,
  sandboxOf,
} from "./client.ts";

export * from "./client.ts";

/** A whole Berth of its own, as `npm start` starts it, and the ways to talk to it. */
export interface TestBerth {
  local: Local;
  dataDir: string;
  api: Api;
  sandbox: SandboxClient;
  /** Waits for a mail to this address whose subject matches. */
  mail(to: string, subject: RegExp): Promise<Mail>;
  mails(): Promise<Mail[]>;
  stop(): Promise<void>;
}

export interface StartOptions {
  workers?: number;
  env?: { web?: Record<string, string>; worker?: Record<string, string> };
  extraOrigins?: string[];
}

const ROOT = path.join(import.meta.dirname, "../..");

/** Starts one under a temporary folder, on free ports. Stop it in `afterAll`. */
export async function startBerth(options: StartOptions = {}): Promise<TestBerth> {
  const dataDir = await mkdtemp(path.join(tmpdir(), "berth-local-"));
  const said: string[] = [];
  const local = await startLocal({
    dataDir,
    root: ROOT,
    ports: "any",
    log: (message) => said.push(message),
    ...options,
  }).catch((error) => {
    throw new Error(`Berth did not start. It said:\n${said.join("\n")}`, { cause: error });
  });
  const { info } = local;
  return {
    local,
    dataDir,
    api: apiOf(info.url, info.apiKey),
    sandbox: sandboxOf(info.supabase.managementUrl),
    mails: () => mailsAt(info.mailUrl),
    mail: (to, subject) => mailAt(info.mailUrl, to, subject),
    async stop() {
      await local.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

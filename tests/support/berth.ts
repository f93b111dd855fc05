import type { Local } from "../../scripts/local/start-local.ts";
import { ask, copyStarted, dropDataDir, newDataDir } from "./berth-stock.ts";
import { type RunningBerth, talkTo } from "./shared-berth.ts";
import { startThrowaway } from "./throwaway.ts";

export * from "./client.ts";

/** A whole Berth of its own, as `npm start` starts it, and the ways to talk to it. */
export interface TestBerth extends RunningBerth {
  local: Local;
}

export interface StartOptions {
  workers?: number;
  env?: { web?: Record<string, string>; worker?: Record<string, string> };
  extraOrigins?: string[];
}

/**
 * Starts one under a temporary folder, on free ports. Stop it in `afterAll`. For tests that need
 * other settings, workers of their own, or a queue that nobody else fills; all others share one
 * (`sharedBerth`).
 */
export async function startBerth(options: StartOptions = {}): Promise<TestBerth> {
  const dataDir = await newDataDir();
  const template = await ask("template");
  if (template) await copyStarted(template, dataDir);
  const local = await startThrowaway(dataDir, options);
  return {
    ...talkTo(local.info),
    local,
    dataDir,
    async stop() {
      await local.stop();
      await dropDataDir(dataDir);
    },
  };
}

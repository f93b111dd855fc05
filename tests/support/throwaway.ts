import { readFile } from "node:fs/promises";
import path from "node:path";
import { isRunning, type ProcessIdentity } from "../../scripts/local/processes.ts";
import { type Local, type StartLocalOptions, startLocal } from "../../scripts/local/start-local.ts";

const ROOT = path.join(import.meta.dirname, "../..");

/**
 * Starts a whole Berth, as `npm start` does, on free ports and for nobody to keep. Its stop throws
 * when one of its processes is still there afterwards.
 */
export async function startThrowaway(
  dataDir: string,
  options: Partial<StartLocalOptions> = {},
): Promise<Local> {
  const said: string[] = [];
  const local = await startLocal({
    dataDir,
    root: ROOT,
    ports: "any",
    throwaway: true,
    log: (message) => said.push(message),
    ...options,
  }).catch((error) => {
    throw new Error(`Berth did not start. It said:\n${said.join("\n")}`, { cause: error });
  });
  async function stop(): Promise<void> {
    // Before the stop, which empties it; a record that cannot be read must not keep all running.
    const records = await readFile(path.join(dataDir, "processes.json"), "utf8").finally(
      local.stop,
    );
    const started = JSON.parse(records) as (ProcessIdentity & { script: string })[];
    for (const child of started) {
      if (await isRunning(child)) throw new Error(`${child.script} is still running.`);
    }
  }
  return { ...local, stop };
}

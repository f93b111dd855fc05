/**
 * One local installation for the browser tests, as a process of its own: Playwright compiles what it
 * loads, Berth runs as Node.js loads it. It ends, and leaves nothing behind, when it is told so and
 * also when Playwright is gone.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startLocal } from "../../../scripts/local/start-local.ts";

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => stopped.abort());
}
process.on("disconnect", () => stopped.abort());

const dataDir = await mkdtemp(path.join(tmpdir(), "berth-e2e-"));
const said: string[] = [];
try {
  const local = await startLocal({
    dataDir,
    root: path.join(import.meta.dirname, "../../.."),
    ports: "any",
    throwaway: true,
    log: (message) => said.push(message),
    signal: stopped.signal,
  });
  process.send?.({ local: path.join(dataDir, "local.json") });
  await new Promise((resolve) => {
    if (stopped.signal.aborted) resolve(undefined);
    else stopped.signal.addEventListener("abort", resolve);
  });
  await local.stop();
} catch (error) {
  if (!stopped.signal.aborted && process.connected) {
    process.send?.({
      problem: [...said, error instanceof Error ? error.message : error].join("\n"),
    });
  }
  process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
  if (process.connected) process.disconnect();
}
process.exit();

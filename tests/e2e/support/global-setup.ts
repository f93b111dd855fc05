import { fork } from "node:child_process";
import path from "node:path";

/** What `serve.ts` says. */
type Message = { local: string } | { problem: string };

/**
 * Starts the installation that all specs share, and names its `local.json` in BERTH_E2E_LOCAL, which
 * the workers inherit. Where that is set already, the installation it names is used and left running.
 */
export default async function globalSetup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.BERTH_E2E_LOCAL) return;
  // Detached: Ctrl-C reaches Playwright alone, which ends what it started in its own order.
  const child = fork(path.join(import.meta.dirname, "serve.ts"), {
    detached: true,
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const message = await new Promise<Message>((resolve) => {
    child.once("message", (value) => resolve(value as Message));
    child.once("error", (error) => resolve({ problem: error.message }));
    child.once("exit", () => resolve({ problem: "Its process ended without a word." }));
  });
  if ("problem" in message) {
    await ended;
    throw new Error(`Berth did not start for the browser tests. It said:\n${message.problem}`);
  }
  process.env.BERTH_E2E_LOCAL = message.local;
  return async () => {
    child.kill("SIGTERM");
    await ended;
  };
}

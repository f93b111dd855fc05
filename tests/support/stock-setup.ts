/**
 * Vitest global set-up: starts the process that keeps what the files have in common
 * (stock-keeper.ts), and ends it when all have run. It is one of its own because vitest's main
 * process leaves at a signal without any teardown; this one notices, and clears up all the same.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { STOCK } from "./berth-stock.ts";

export default async function setup(): Promise<() => Promise<void>> {
  const keeper = fork(new URL("stock-keeper.ts", import.meta.url), {
    // Out of the terminal's process group: Ctrl-C reaches it as the end of its channel.
    detached: true,
    execArgv: [],
  });
  const ended = once(keeper, "exit");
  const [address] = await Promise.race([once(keeper, "message"), ended.then(() => [null])]);
  if (typeof address !== "string") throw new Error("The keeper of the shared Berth did not start.");
  process.env[STOCK] = address;
  // What ends the run without a teardown must not wait for it.
  keeper.unref();
  keeper.channel?.unref();
  return async () => {
    delete process.env[STOCK];
    keeper.ref();
    if (keeper.connected) keeper.disconnect();
    const [code] = await ended;
    if (code !== 0) throw new Error("What the files shared was not cleared up; see above.");
  };
}

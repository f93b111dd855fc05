/**
 * The process that keeps what the files of a test run have in common (berth-stock.ts): it answers on
 * this machine alone, at an address that nobody can guess, and undoes everything when the channel
 * to its parent closes, in order or because that one was killed.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { takeLock } from "../../scripts/local/lock.ts";
import { copyStarted, dropDataDir, newDataDir, type Stock } from "./berth-stock.ts";
import { sweepLeftOvers } from "./stock-sweep.ts";
import { startThrowaway } from "./throwaway.ts";

/** What was made, newest last; undone in the other order. */
const undo: (() => Promise<unknown>)[] = [];
const ending = new AbortController();
const { signal } = ending;

async function folder(): Promise<string> {
  signal.throwIfAborted();
  const dataDir = await newDataDir();
  undo.push(() => dropDataDir(dataDir));
  return dataDir;
}

async function makeTemplate(): Promise<string> {
  const dataDir = await folder();
  // Without a worker: each copy sends the demo's mails itself.
  await (await startThrowaway(dataDir, { workers: 0, signal })).stop();
  // It runs no more, but is in use: a sweep must find it held.
  await takeLock(dataDir);
  return dataDir;
}

async function makeShared(): Promise<Stock["shared"]> {
  const from = await make.template();
  const dataDir = await folder();
  await copyStarted(from, dataDir);
  const local = await startThrowaway(dataDir, { signal });
  undo.push(() => local.stop());
  return { dataDir, info: local.info };
}

const made: { [What in keyof Stock]?: Promise<Stock[What]> } = {};
const make = {
  template: () => (made.template ??= makeTemplate()),
  shared: () => (made.shared ??= makeShared()),
};

const secret = randomBytes(24).toString("base64url");
const server = createServer(async (request, response) => {
  try {
    const [, given, what] = request.url?.split("/") ?? [];
    if (given !== secret || (what !== "template" && what !== "shared")) {
      response.writeHead(404).end();
      return;
    }
    response.end(JSON.stringify(await make[what]()));
  } catch (error) {
    response.writeHead(500).end(error instanceof Error ? error.message : "It failed.");
  }
});

async function end(): Promise<void> {
  ending.abort(new Error("The test run has ended."));
  server.closeAllConnections();
  server.close();
  // A start that is broken off ends what it has started before it settles.
  await Promise.allSettled(Object.values(made));
  // One that fails keeps no other from its turn.
  for (const act of undo.reverse()) {
    await act().catch((error) => {
      process.exitCode = 1;
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    });
  }
  process.exit();
}

process.once("disconnect", end);
await sweepLeftOvers();
await once(server.listen(0, "127.0.0.1"), "listening");
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}/`);

/**
 * Vitest global set-up: keeps what the files have in common (berth-stock.ts) until all have run. It
 * answers on this machine alone, at an address that nobody can guess.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { copyStarted, newDataDir, STOCK, type Stock } from "./berth-stock.ts";
import type { startThrowaway } from "./throwaway.ts";

/** What was made, newest last; undone in the other order. */
type Undo = (() => Promise<unknown>)[];

async function folder(undo: Undo): Promise<string> {
  const dataDir = await newDataDir();
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
  return dataDir;
}

function maker(undo: Undo): { [What in keyof Stock]: () => Promise<Stock[What]> } {
  let template: Promise<string> | undefined;
  let shared: Promise<Stock["shared"]> | undefined;
  // A run that asks for no Berth need not load one.
  const start = async (...of: Parameters<typeof startThrowaway>) =>
    (await import("./throwaway.ts")).startThrowaway(...of);
  async function makeTemplate(): Promise<string> {
    const dataDir = await folder(undo);
    // Without a worker: each copy sends the demo's mails itself.
    await (await start(dataDir, { workers: 0 })).stop();
    return dataDir;
  }
  async function makeShared(): Promise<Stock["shared"]> {
    const dataDir = await folder(undo);
    await copyStarted(await make.template(), dataDir);
    const local = await start(dataDir);
    undo.push(() => local.stop());
    return { dataDir, info: local.info };
  }
  const make = {
    template: () => (template ??= makeTemplate()),
    shared: () => (shared ??= makeShared()),
  };
  return make;
}

export default async function setup(): Promise<() => Promise<void>> {
  const undo: Undo = [];
  const make = maker(undo);
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
  await once(server.listen(0, "127.0.0.1"), "listening");
  process.env[STOCK] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}/`;
  return async () => {
    delete process.env[STOCK];
    server.closeAllConnections();
    server.close();
    for (const act of undo.reverse()) await act();
  };
}

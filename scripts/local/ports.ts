import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";
import path from "node:path";
import { readJson, writeSecretJson } from "./files.ts";

/** The TCP ports of local mode, all on 127.0.0.1. */
export interface Ports {
  web: number;
  mailPage: number;
  smtp: number;
  database: number;
  /** The sandbox's Management API and page. */
  sandbox: number;
  pooler: number;
  /** The first of the ports that sandbox projects get; `PROJECT_PORTS` follow. */
  projects: number;
}

/** How many sandbox projects can run beside each other. */
export const PROJECT_PORTS = 199;

export const defaultPorts: Ports = {
  web: 3000,
  mailPage: 1080,
  smtp: 1025,
  database: 54311,
  sandbox: 54321,
  pooler: 54331,
  projects: 54801,
};

const names: Record<keyof Ports, string> = {
  web: "Berth",
  mailPage: "the mail page",
  smtp: "the mail server",
  database: "the database",
  sandbox: "the Supabase sandbox",
  pooler: "the sandbox's pooler",
  projects: "sandbox projects",
};

/** A listener on all addresses can leave 127.0.0.1 bindable; so the port is also called. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 500 });
    const settle = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

const isFree = async (port: number) => !(await answers(port)) && (await canListen(port));

/** The port of the wish, or the next free one that is not in `taken`. */
async function nextFree(wish: number, taken: Set<number>): Promise<number> {
  for (let port = wish; port <= 65_535; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`No port from ${wish} upwards is free on 127.0.0.1. Close a program and retry.`);
}

/**
 * Chooses the ports of one start. A taken one gives the next free one, and `say` tells of it.
 * The sandbox's ports are part of the credentials people entered, so those of the last start come
 * first. `wishes` come before the defaults. "any", for tests, takes random free ones, above most
 * services and below those from 32,768 on that the system itself gives out: what is free there may
 * be another program's a moment later.
 */
export async function choosePorts(
  dataDir: string,
  wishes: Partial<Ports> | "any",
  say: (message: string) => void,
): Promise<Ports> {
  const file = path.join(dataDir, "ports.json");
  const last = await readJson<Partial<Ports>>(file);
  const ports = {} as Ports;
  const taken = new Set<number>();
  for (const name of Object.keys(defaultPorts) as (keyof Ports)[]) {
    const sticky = name === "sandbox" || name === "pooler" || name === "projects";
    const kept = sticky ? last?.[name] : undefined;
    const given = wishes === "any" ? undefined : wishes[name];
    if (wishes === "any" && kept === undefined) {
      // The sandbox skips taken ports of its range.
      ports[name] =
        name === "projects"
          ? 10_000 + 200 * randomInt(80)
          : await nextFree(26_200 + randomInt(6_000), taken);
    } else {
      const wish = given ?? kept ?? defaultPorts[name];
      ports[name] = name === "projects" ? wish : await nextFree(wish, taken);
      if (ports[name] !== wish) {
        say(`Port ${wish} is taken: ${names[name]} gets ${ports[name]}.`);
      }
    }
    taken.add(ports[name]);
  }
  await writeSecretJson(file, ports);
  return ports;
}

/**
 * A proxy between a PostgreSQL client and its server that breaks the connection at a chosen
 * message. It ends the client's TLS with a certificate of the sandbox's authority, so that the
 * verified path stays the only path, and speaks TLS or plain TCP to the server.
 */
import { readFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import tls from "node:tls";
import { mintServerCertificate } from "./certificates.ts";
import {
  applicationName,
  isCancelRequest,
  MessageReader,
  type PgMessage,
  queryText,
} from "./pg-messages.ts";
import { acceptTls, connectUpstream, type Upstream } from "./proxy-ends.ts";

/**
 * - `cut-before`: the message is not passed on; both sides are closed.
 * - `cut-after`: it is passed on, then both sides are closed at once: the receiver may still be at
 *   work on it.
 * - `cut-reply` (client's messages): it is passed on; when the server has answered in full
 *   (ReadyForQuery), the answer is swallowed and both sides are closed.
 * - `pause`: it waits until `release()`.
 * - `hold` (client's messages): it waits until `release()`, and its whole answer until the second
 *   `release()`; whoever sent it may be gone by then, and the server does not learn of that.
 */
export type FaultAction = "cut-before" | "cut-after" | "cut-reply" | "pause" | "hold";

/** The session that a message belongs to. */
export interface ProxiedSession {
  /** The application_name of its start-up packet; empty without one. */
  application: string;
  /** The last SQL that the client sent. */
  sql: string;
}

export type MessageTest = (message: PgMessage, session: ProxiedSession) => boolean;

export interface Fault {
  from: "client" | "server";
  /** Which messages count: SQL that matches (client), a type letter, or a test of one's own. */
  when: RegExp | string | MessageTest;
  /** The fault strikes at the nth message that counts; the first if not given. */
  nth?: number;
  /** How often it strikes, each time at the nth again; once if not given. */
  times?: number;
  action: FaultAction;
}

export interface ArmedFault {
  /** Resolves when the fault strikes for the first time. */
  reached: Promise<void>;
  /** `hold`: resolves when the server has answered in full. */
  answered: Promise<void>;
  /** How often it has struck. */
  struck(): number;
  /** Lets paused messages go on; the second call, held answers. */
  release(): void;
  disarm(): void;
}

export interface FaultProxy {
  port: number;
  /** PEM of the authority that signed the proxy's certificate. */
  ca: string;
  arm(fault: Fault): ArmedFault;
  /** Delays each direction from now on; a round trip takes the sum longer. */
  delay(milliseconds: { toServer?: number; toClient?: number }): void;
  /** Lets somebody see every message from that side as it arrives. */
  watch(from: Fault["from"], look: (message: PgMessage, session: ProxiedSession) => void): void;
  /** Closes every connection now; whose they were. */
  cutAll(): ProxiedSession[];
  /** Refuses new connections while on, as a stopped server would. */
  refuse(on: boolean): void;
  /** ReadyForQuery messages passed to clients since the start: one per finished round trip. */
  roundTrips(): number;
  /** Sessions opened since the start; cancel requests do not count. */
  sessions(): number;
  close(): Promise<void>;
}

interface Armed extends Fault {
  seen: number;
  struck: number;
  strike: () => void;
  gate: Promise<void>;
  answer: () => void;
  answerGate: Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. `authority`: the folder of `ca.crt` and `ca.key`. */
export async function startFaultProxy(options: {
  upstream: Upstream;
  authority: string;
}): Promise<FaultProxy> {
  const { upstream, authority } = options;
  const ca = await readFile(path.join(authority, "ca.crt"), "utf8");
  const secureContext = tls.createSecureContext(await mintServerCertificate(authority));
  const armed = new Set<Armed>();
  const watchers: { from: Fault["from"]; look: Parameters<FaultProxy["watch"]>[1] }[] = [];
  const links = new Map<() => void, ProxiedSession>();
  const delays = { toServer: 0, toClient: 0 };
  const counts = { roundTrips: 0, sessions: 0 };
  let refusing = false;

  function show(from: Fault["from"], message: PgMessage, session: ProxiedSession): void {
    for (const watcher of watchers) {
      if (watcher.from === from) watcher.look(message, session);
    }
  }

  function match(from: Fault["from"], message: PgMessage, session: ProxiedSession): Armed | null {
    for (const fault of armed) {
      if (fault.from !== from || !isCounted(fault.when, message, session)) continue;
      fault.seen += 1;
      if (fault.seen < (fault.nth ?? 1)) continue;
      fault.seen = 0;
      fault.struck += 1;
      fault.strike();
      if (fault.struck >= (fault.times ?? 1)) armed.delete(fault);
      return fault;
    }
    return null;
  }

  async function serve(socket: net.Socket): Promise<void> {
    socket.on("error", () => undefined);
    if (refusing) {
      socket.destroy();
      return;
    }
    const client = await acceptTls(socket, secureContext);
    const server = await connectUpstream(upstream);
    const cut = () => {
      links.delete(cut);
      client.destroy();
      server.destroy();
      socket.destroy();
    };
    const session: ProxiedSession = { application: "", sql: "" };
    links.set(cut, session);
    let swallowReply = false;
    let held: { by: Armed; messages: Buffer[] } | null = null;

    const toServer = async (message: PgMessage) => {
      if (message.type === "" && !isCancelRequest(message)) counts.sessions += 1;
      session.application = applicationName(message) ?? session.application;
      session.sql = queryText(message) ?? session.sql;
      show("client", message, session);
      const fault = match("client", message, session);
      if (fault?.action === "cut-before") return cut();
      if (fault?.action === "pause" || fault?.action === "hold") await fault.gate;
      if (fault?.action === "hold") held = { by: fault, messages: [] };
      if (fault?.action === "cut-reply") swallowReply = true;
      if (fault?.action !== "cut-after") {
        server.write(message.bytes);
        // As long as this waits, the client's end is not passed on either.
        if (fault?.action === "hold") await fault.answerGate;
        return;
      }
      await new Promise((resolve) => server.write(message.bytes, resolve));
      cut();
    };
    const toClient = async (message: PgMessage) => {
      show("server", message, session);
      if (swallowReply) return message.type === "Z" ? cut() : undefined;
      if (held) {
        held.messages.push(message.bytes);
        if (message.type !== "Z") return;
        held.by.answer();
        await held.by.answerGate;
        counts.roundTrips += 1;
        client.write(Buffer.concat(held.messages));
        held = null;
        return;
      }
      const fault = match("server", message, session);
      if (fault?.action === "cut-before") return cut();
      if (fault?.action === "pause") await fault.gate;
      if (message.type === "Z") counts.roundTrips += 1;
      if (fault?.action !== "cut-after") return void client.write(message.bytes);
      await new Promise((resolve) => client.write(message.bytes, resolve));
      cut();
    };
    pump(client, new MessageReader({ untyped: true }), () => delays.toServer, toServer, cut);
    pump(server, new MessageReader({ untyped: false }), () => delays.toClient, toClient, cut);
  }

  const listener = net.createServer({ noDelay: true }, (socket) => {
    serve(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });

  return {
    port: (listener.address() as net.AddressInfo).port,
    ca,
    arm(fault) {
      const reached = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<void>();
      const answerGate = Promise.withResolvers<void>();
      let releases = 0;
      const entry: Armed = {
        ...fault,
        seen: 0,
        struck: 0,
        strike: () => reached.resolve(),
        gate: gate.promise,
        answer: () => answered.resolve(),
        answerGate: answerGate.promise,
      };
      armed.add(entry);
      return {
        reached: reached.promise,
        answered: answered.promise,
        struck: () => entry.struck,
        release: () => {
          releases += 1;
          if (releases === 1) gate.resolve();
          else answerGate.resolve();
        },
        disarm: () => {
          armed.delete(entry);
          gate.resolve();
          answerGate.resolve();
        },
      };
    },
    delay: (milliseconds) => void Object.assign(delays, milliseconds),
    watch: (from, look) => void watchers.push({ from, look }),
    cutAll: () => {
      const sessions = [...links.values()];
      for (const cut of links.keys()) cut();
      return sessions;
    },
    refuse: (on) => {
      refusing = on;
    },
    roundTrips: () => counts.roundTrips,
    sessions: () => counts.sessions,
    async close() {
      for (const cut of links.keys()) cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function isCounted(when: Fault["when"], message: PgMessage, session: ProxiedSession): boolean {
  if (typeof when === "function") return when(message, session);
  if (typeof when === "string") return message.type === when;
  const text = queryText(message);
  return text !== null && when.test(text);
}

/** Passes messages on one after another, each no earlier than `delay` after its arrival. */
function pump(
  source: net.Socket,
  reader: MessageReader,
  delay: () => number,
  pass: (message: PgMessage) => Promise<void>,
  cut: () => void,
): void {
  let line = Promise.resolve();
  source.on("data", (chunk: Buffer) => {
    const due = Date.now() + delay();
    for (const message of reader.push(chunk)) {
      line = line.then(async () => {
        const wait = due - Date.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        await pass(message);
      });
      line.catch(cut);
    }
  });
  // What has arrived is still passed on before the other side is closed.
  source.on("close", () => void line.then(cut, cut));
  source.on("error", () => undefined);
}

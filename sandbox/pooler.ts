/**
 * The session pooler's stand-in: it ends TLS, reads from the startup message which project is
 * meant (`<role>.<ref>`), wakes its database and then passes bytes both ways. Passwords are
 * checked by the database itself, through SCRAM. Message formats: PostgreSQL's documentation,
 * chapter "Frontend/Backend Protocol".
 */
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Faults } from "./faults.ts";
import type { Certificates } from "./platform/certificates.ts";
import type { Logger } from "./platform/log.ts";
import type { Databases } from "./projects/databases.ts";
import { isUp, type Project } from "./projects/project.ts";
import type { ProjectStore } from "./projects/store.ts";

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
const PROTOCOL_3 = 3;
/** PostgreSQL's own limit on a startup message, in bytes. */
const STARTUP_LIMIT = 10_000;
/** A client that says nothing is dropped after this time, in milliseconds. */
const STARTUP_TIMEOUT_MS = 30_000;

/** The running pooler. */
interface Pooler {
  port: number;
  close(): Promise<void>;
}

/** Waits until the stream has something to read; false when it has ended. */
function readable(stream: Duplex): Promise<boolean> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (value: boolean) => () => {
      for (const [event, listener] of listeners) stream.off(event, listener);
      resolve(value);
    };
    const listeners: [string, () => void][] = [
      ["readable", settle(true)],
      ["end", settle(false)],
      ["close", settle(false)],
      ["error", settle(false)],
    ];
    for (const [event, listener] of listeners) stream.on(event, listener);
  });
}

/**
 * Reads one message that begins with its length; null when the client leaves or misbehaves.
 * What came behind the message stays in the stream.
 */
async function readStartup(stream: Duplex): Promise<Buffer | null> {
  let read = Buffer.alloc(0);
  for (;;) {
    // Everything is taken each time: bytes left in the stream would make it readable at once
    // again, and a client that sends half a message would keep this loop spinning.
    const part = stream.read() as Buffer | null;
    if (part) read = Buffer.concat([read, part]);
    if (read.length >= 4) {
      const length = read.readUInt32BE(0);
      if (length < 8 || length > STARTUP_LIMIT) return null;
      if (read.length >= length) {
        if (read.length > length) stream.unshift(read.subarray(length));
        return read.subarray(4, length);
      }
    }
    if (!part && !(await readable(stream))) return null;
  }
}

/** An ErrorResponse as the server itself would send it before it ends a session. */
function fatal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

/** The parameters of a startup message (after its protocol version). */
function readParameters(body: Buffer): [string, string][] {
  const words = body.subarray(4).toString("utf8").split("\0");
  const pairs: [string, string][] = [];
  for (let i = 0; words[i]; i += 2) pairs.push([words[i] as string, words[i + 1] ?? ""]);
  return pairs;
}

function writeStartup(parameters: [string, string][]): Buffer {
  const text = Buffer.from(`${parameters.flat().join("\0")}\0\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(text.length + 8, 0);
  head.writeUInt16BE(PROTOCOL_3, 4);
  return Buffer.concat([head, text]);
}

/**
 * Watches the server's first messages for BackendKeyData, so that a later CancelRequest can be
 * brought to the right database. It stops at ReadyForQuery: from there on nothing is parsed.
 */
function watchForKey(server: Socket, found: (key: string) => void): void {
  let rest = Buffer.alloc(0);
  const onData = (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    while (rest.length >= 5) {
      const end = 1 + rest.readUInt32BE(1);
      if (rest.length < end) return;
      const type = rest.subarray(0, 1).toString("latin1");
      if (type === "K") found(rest.subarray(5, end).toString("hex"));
      if (type === "Z") server.off("data", onData);
      rest = rest.subarray(end);
    }
  };
  server.on("data", onData);
}

/** Starts the pooler on 127.0.0.1; port 0 takes any free one. */
export async function startPooler(o: {
  port: number;
  certificates: Certificates;
  store: ProjectStore;
  databases: Databases;
  faults: Faults;
  log: Logger;
}): Promise<Pooler> {
  const secureContext = createSecureContext({
    cert: await readFile(o.certificates.certFile),
    key: await readFile(o.certificates.keyFile),
    minVersion: "TLSv1.2",
  });
  /** Which database a process id and secret (as hex) belong to. */
  const cancelKeys = new Map<string, number>();
  const clients = new Set<Duplex>();

  const refuse = (client: Duplex, code: string, message: string) => {
    client.end(fatal(code, message));
  };

  function cancel(client: Duplex, body: Buffer): void {
    const port = cancelKeys.get(body.subarray(4).toString("hex"));
    client.end();
    if (port === undefined) return;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length + 4);
    const server = connect({ host: "127.0.0.1", port });
    server.on("error", () => server.destroy());
    server.end(Buffer.concat([length, body]));
  }

  /** Whether the session may go on; otherwise the client has got its answer. */
  async function passesFaults(client: Duplex, project: Project): Promise<boolean> {
    for (const fault of o.faults.strike(project.ref, "database")) {
      if (fault.kind === "delay") await sleep(fault.ms);
      else if (fault.kind === "error" || fault.kind === "rate-limited") {
        refuse(client, "XX000", "MaxClientsInSessionMode: max clients reached");
        return false;
      } else {
        client.destroy();
        return false;
      }
    }
    return true;
  }

  async function session(client: Duplex, body: Buffer): Promise<void> {
    const parameters = readParameters(body);
    const user = parameters.find(([name]) => name === "user")?.[1] ?? "";
    const dot = user.lastIndexOf(".");
    const project = dot > 0 ? o.store.find(user.slice(dot + 1)) : undefined;
    // A paused project's tenant is gone from the real pooler, so both sound the same.
    if (!project || !isUp(project) || o.faults.actsPaused(project.ref)) {
      return refuse(client, "XX000", "Tenant or user not found");
    }
    if (!(await passesFaults(client, project))) return;

    const { cluster, release } = await o.databases.hold(project);
    const server = connect({ host: "127.0.0.1", port: cluster.port, noDelay: true });
    const keys: string[] = [];
    const over = () => {
      release();
      for (const key of keys) cancelKeys.delete(key);
      client.destroy();
      server.destroy();
    };
    client.on("close", over);
    server.on("close", () => {
      // What the server said last (why it ends the session) still has to reach the client.
      client.end();
      release();
    });
    server.on("error", over);
    if (client.destroyed) return over();
    watchForKey(server, (key) => {
      keys.push(key);
      cancelKeys.set(key, cluster.port);
    });
    server.write(
      writeStartup(
        parameters.map(([name, value]) => [name, name === "user" ? user.slice(0, dot) : value]),
      ),
    );
    client.pipe(server);
    server.pipe(client);
  }

  async function accept(socket: Socket): Promise<void> {
    let client: Duplex = socket;
    let encrypted = false;
    for (;;) {
      const body = await readStartup(client);
      if (!body) return void client.destroy();
      const code = body.readUInt32BE(0);
      if (code === CANCEL_REQUEST) return cancel(client, body);
      if (code === GSS_REQUEST) {
        client.write("N");
      } else if (code === SSL_REQUEST && !encrypted) {
        // Bytes sent along with the request would be plain text taken for encrypted.
        if (client.readableLength > 0) return void client.destroy();
        client.write("S");
        const secure = new TLSSocket(socket, { isServer: true, secureContext });
        secure.on("error", () => secure.destroy());
        clients.add(secure);
        secure.on("close", () => clients.delete(secure));
        client = secure;
        encrypted = true;
      } else if (body.readUInt16BE(0) !== PROTOCOL_3) {
        return refuse(client, "08P01", "unsupported frontend protocol");
      } else if (!encrypted) {
        return refuse(client, "XX000", "SSL connection is required");
      } else {
        socket.setTimeout(0);
        return session(client, body);
      }
    }
  }

  const server = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => {
    clients.add(socket);
    socket.on("close", () => clients.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(STARTUP_TIMEOUT_MS, () => socket.destroy());
    accept(socket).catch((error) => {
      o.log.warn({ err: error }, "database session failed");
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: o.port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}

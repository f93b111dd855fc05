import "reflect-metadata";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  OutboundRefusedError,
  OutboundTlsError,
  OutboundUnreachableError,
} from "#app/platform/outbound/errors.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Cluster, freePort, initCluster, startCluster } from "#local/cluster.ts";
import { type ConnectOptions, connectToCustomer } from "./connect.ts";
import {
  DatabaseAnswerTooLargeError,
  DatabaseClosedError,
  DatabaseLoginError,
  DatabasePasswordError,
  DatabaseSilentError,
  DatabaseTenantError,
} from "./connect-errors.ts";
import type { DatabaseTarget } from "./dsn.ts";

const password = "c4n4ry/of the-password";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

interface Pem {
  cert: string;
  key: string;
}

async function mint(names: x509.JsonGeneralNames, signer?: { pem: string; keys: CryptoKeyPair }) {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: signer ? "CN=server" : "CN=test authority",
    issuer: signer ? "CN=test authority" : "CN=test authority",
    publicKey: keys.publicKey,
    signingKey: (signer?.keys ?? keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: signer
      ? [new x509.SubjectAlternativeNameExtension(names)]
      : [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = key.toString("base64").match(/.{1,64}/g) ?? [];
  const pem = ["-----BEGIN PRIVATE KEY-----", ...lines, "-----END PRIVATE KEY-----", ""].join("\n");
  return { keys, pem: certificate.toString("pem"), keyPem: pem };
}

let ca: string;
let byAddress: Pem;
let byOtherName: Pem;
let byName: Pem;
let stranger: Pem;

beforeAll(async () => {
  const authority = await mint([]);
  ca = authority.pem;
  const sign = async (names: x509.JsonGeneralNames): Promise<Pem> => {
    const made = await mint(names, authority);
    return { cert: made.pem, key: made.keyPem };
  };
  byAddress = await sign([{ type: "ip", value: "127.0.0.1" }]);
  byName = await sign([{ type: "dns", value: "database.test" }]);
  byOtherName = await sign([{ type: "dns", value: "other.test" }]);
  const unknown = await mint([]);
  const made = await mint([{ type: "ip", value: "127.0.0.1" }], unknown);
  stranger = { cert: made.pem, key: made.keyPem };
});

const open: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of open.splice(0)) server.close();
});

async function listen(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    serve(socket);
  });
  open.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

/** A server that speaks PostgreSQL's TLS and leaves the rest to the test. */
function listenTls(pem: Pem, serve: (socket: TLSSocket, startup: Buffer) => void) {
  return listen((socket) => {
    socket.once("data", () => {
      socket.write("S");
      const secure = new TLSSocket(socket, { isServer: true, ...pem });
      secure.on("error", () => {});
      secure.once("data", (startup: Buffer) => serve(secure, startup));
    });
  });
}

/** One message of PostgreSQL's protocol, version 3. */
function message(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

const signedIn = () => Buffer.concat([message("R", Buffer.from([0, 0, 0, 0])), message("Z", "I")]);
const fatal = (code: string, words: string) =>
  message("E", `SFATAL\0VFATAL\0C${code}\0M${words}\0\0`);

function target(port: number, over: Partial<DatabaseTarget> = {}): DatabaseTarget {
  return {
    host: "127.0.0.1",
    port,
    user: "postgres",
    password,
    database: "postgres",
    ref: null,
    pooler: false,
    ...over,
  };
}

const loopback = async () => [{ address: "127.0.0.1", family: 4 as const }];

async function connect(to: DatabaseTarget, over: Partial<ConnectOptions> = {}) {
  const allowOrigins = `${to.host}:${to.port}`;
  const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins, resolve: loopback });
  return connectToCustomer(to, {
    guard,
    ca,
    applicationName: "berth test",
    connectTimeoutMs: 3_000,
    statementTimeoutMs: 2_000,
    ...over,
  });
}

async function failure(to: DatabaseTarget, over: Partial<ConnectOptions> = {}) {
  const error: unknown = await connect(to, over).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(JSON.stringify(error) + String(error)).not.toContain(password);
  return error;
}

describe("TLS to a customer's database", () => {
  it("verifies the host's own name, and an address by its own entry", async () => {
    const names: unknown[] = [];
    const serve = (socket: TLSSocket) => {
      names.push(socket.servername);
      socket.write(signedIn());
      socket.on("data", () =>
        socket.write(Buffer.concat([message("C", "SET\0"), message("Z", "I")])),
      );
    };
    const named = await connect(target(await listenTls(byName, serve), { host: "database.test" }));
    await named.end();
    const numbered = await connect(target(await listenTls(byAddress, serve)));
    await numbered.end();
    expect(names).toEqual(["database.test", false]);
  });

  it("refuses another name, an unknown authority, and no TLS, and lets no password out", async () => {
    const heard: Buffer[] = [];
    const askInClear = (socket: TLSSocket) => {
      socket.on("data", (chunk) => heard.push(chunk));
      socket.write(message("R", Buffer.from([0, 0, 0, 3])));
    };
    for (const port of [
      await listenTls(byOtherName, askInClear),
      await listenTls(byName, askInClear),
      await listenTls(stranger, askInClear),
      await listen((socket) => socket.write("N") && socket.on("data", (c) => heard.push(c))),
      await listen((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    ]) {
      expect(await failure(target(port))).toBeInstanceOf(OutboundTlsError);
    }
    expect(Buffer.concat(heard).includes(password)).toBe(false);
  });

  it("trusts the given authority alone", async () => {
    const port = await listenTls(byAddress, (socket) => socket.write(signedIn()));
    expect(await failure(target(port), { ca: undefined })).toBeInstanceOf(OutboundTlsError);
  });
});

describe("servers that misbehave", () => {
  it("gives up on silence in every phase", async () => {
    for (const port of [
      await listen(() => {}),
      await listen((socket) => socket.write("S")),
      await listenTls(byAddress, () => {}),
      await listenTls(byAddress, (socket) => socket.write(signedIn())),
    ]) {
      expect(await failure(target(port), { connectTimeoutMs: 300 })).toBeInstanceOf(
        DatabaseSilentError,
      );
    }
  });

  it("gives up on a query that is never answered", async () => {
    let queries = 0;
    const port = await listenTls(byAddress, (socket) => {
      socket.write(signedIn());
      socket.on("data", () => {
        queries += 1;
        if (queries === 1) socket.write(Buffer.concat([message("C", "SET\0"), message("Z", "I")]));
      });
    });
    const client = await connect(target(port), { queryTimeoutMs: 200 });
    await expect(client.query("select 1")).rejects.toThrow("timeout");
  });

  it("cuts an answer without end, during and after sign-in", async () => {
    const flood = (socket: TLSSocket) => {
      // A message that claims 1 GB and keeps its promise as long as anyone listens.
      const head = Buffer.from("D\x3f\xff\xff\xff", "latin1");
      socket.write(head);
      const pump = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
      };
      socket.on("drain", pump);
      pump();
    };
    const during = await listenTls(byAddress, flood);
    const after = await listenTls(byAddress, (socket) => {
      socket.write(signedIn());
      socket.once("data", () => flood(socket));
    });
    for (const port of [during, after]) {
      expect(await failure(target(port), { maxAnswerBytes: 1_000_000 })).toBeInstanceOf(
        DatabaseAnswerTooLargeError,
      );
    }
  });

  it("names each refusal", async () => {
    const cases = [
      ["XX000", "Tenant or user not found", DatabaseTenantError],
      ["XX000", "(ENOTFOUND) tenant/user postgres.x not found", DatabaseTenantError],
      ["28P01", "password authentication failed", DatabasePasswordError],
      ["57P03", "the database system is starting up", DatabaseLoginError],
      ["53300", "too many clients", DatabaseLoginError],
      ["XX000", "something else", DatabaseLoginError],
    ] as const;
    for (const [code, words, kind] of cases) {
      const port = await listenTls(byAddress, (socket) => socket.end(fatal(code, words)));
      expect(await failure(target(port))).toBeInstanceOf(kind);
    }
    const hangUp = await listenTls(byAddress, (socket) => socket.end());
    expect(await failure(target(hangUp))).toBeInstanceOf(DatabaseClosedError);
  });

  it("asks the guard first, finds closed ports, and stops when told to", async () => {
    const guard = createOutboundGuard({ allowSuffixes: ["supabase.co"], allowOrigins: "" });
    expect(await failure(target(5432), { guard })).toBeInstanceOf(OutboundRefusedError);
    expect(await failure(target(await freePort()))).toBeInstanceOf(OutboundUnreachableError);
    const silent = target(await listen(() => {}));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("stopped by the caller")), 30);
    expect(await failure(silent, { signal: stop.signal })).toMatchObject({
      message: "stopped by the caller",
    });
  });
});

describe("a real server", () => {
  let cluster: Cluster;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "berth-connect-"));
    await chmod(folder, 0o711);
    const files = { certFile: path.join(folder, "s.crt"), keyFile: path.join(folder, "s.key") };
    await writeFile(files.certFile, byAddress.cert);
    await writeFile(files.keyFile, byAddress.key, { mode: 0o600 });
    const account = { dataDir: path.join(folder, "data"), superuser: "postgres", password };
    await initCluster(account);
    cluster = await startCluster({ ...account, port: await freePort(), tls: files });
  }, 60_000);

  afterAll(async () => {
    await cluster?.stop("immediate");
    await rm(folder, { recursive: true, force: true });
  });

  it("signs in, bounds statements, and survives the end of an idle session", async () => {
    const client = await connect(target(cluster.port));
    const { rows } = await client.query(
      "select current_setting('statement_timeout') as limit, ssl from pg_stat_ssl where pid = pg_backend_pid()",
    );
    expect(rows).toEqual([{ limit: "2s", ssl: true }]);
    await client.query("set statement_timeout = 50");
    await expect(client.query("select pg_sleep(10)")).rejects.toMatchObject({ code: "57014" });

    const ended = new Promise((done) => client.once("end", () => done("ended")));
    const other = await connect(target(cluster.port));
    const { processID } = client as unknown as { processID: number };
    await other.query("select pg_terminate_backend($1)", [processID]);
    expect(await ended).toBe("ended");
    await other.end();
  });

  it("knows a wrong password from a wrong database", async () => {
    const wrong = target(cluster.port, { password: "wrong" });
    expect(await failure(wrong)).toBeInstanceOf(DatabasePasswordError);
    const missing = target(cluster.port, { database: "missing" });
    expect(await failure(missing)).toMatchObject({ found: "there is no such database" });
  });
});

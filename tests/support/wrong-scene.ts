/** One request whose run meets a wrong situation, and what people are told of it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import tls from "node:tls";
import pg from "pg";
import { createAuthority, mintServerCertificate } from "./certificates.ts";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  PATIENCE_MS,
  type SandboxProject,
} from "./client.ts";
import { applicationName } from "./pg-messages.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "./proxy.ts";
import type { RunningBerth } from "./shared-berth.ts";

/** A failure as the API tells it. */
interface ToldFailure extends Record<string, unknown> {
  code: string;
  found?: string;
  needed?: string;
  fix?: string;
}

interface Scene {
  berth: RunningBerth;
  requestId: string;
  project: SandboxProject;
  /** Stands between Berth and the customer's database. */
  proxy: FaultProxy;
  /** One statement in the customer's database, as `postgres`, past the proxy. */
  sql(text: string, values?: unknown[]): Promise<pg.QueryResultRow[]>;
  /** A session there that stays until the scene is over. */
  session(name: string): Promise<pg.Client>;
  /** One statement in Berth's own database. */
  own(text: string, values?: unknown[]): Promise<pg.QueryResultRow[]>;
  /** In place of the database, a server answers whose certificate no known authority has signed. */
  impostor(): Promise<void>;
}

export interface WrongRun {
  features?: string[];
  /** Before which message of the run the situation arises; its first connection unless told. */
  before?: RegExp;
  /** The run is the second one: the first has built all of the database, and failed thereafter. */
  isBuilt?: boolean;
  /** Makes the situation, while the run waits. */
  arrange?(scene: Scene): Promise<unknown>;
  /** Goes on beside the run until it has ended. */
  beside?(scene: Scene, over: AbortSignal): Promise<void>;
}

/** The run's own connection, not that of the connection test. */
const firstConnection: Fault["when"] = (message) =>
  applicationName(message)?.startsWith("berth:") ?? false;

/** Lets one run meet its situation, to its end; the failure as the API tells it, and the page. */
export async function meet(
  berth: RunningBerth,
  cookie: string,
  wrong: WrongRun,
): Promise<{ failure: ToldFailure; page: string; api: string; project: SandboxProject }> {
  const { features = ["sound"] } = wrong;
  const [project, requestId] = await Promise.all([
    berth.sandbox.project({ name: "wrong" }),
    claimedRequest(berth.api, { features, plan: "business" }),
  ]);
  const { scene, close } = await openScene(berth, requestId, project);
  const over = new AbortController();
  try {
    const path = `/api/queue/${requestId}`;
    const begin = async (act: string, body?: unknown) => {
      const { status, body: answer } = await berth.api("POST", `${path}/${act}`, body);
      if (status !== 200) throw new Error(JSON.stringify(answer));
    };
    const ended = () =>
      eventually(
        `the end of ${requestId}`,
        async () => {
          const { body } = await berth.api("GET", path);
          return ["completed", "failed"].includes(body.status) && body;
        },
        PATIENCE_MS,
        500,
      );
    const via = new URL(project.databaseUrl);
    via.port = String(scene.proxy.port);
    const given = { ...credentialsOf(project), databaseUrl: via.href };
    if (wrong.isBuilt) {
      const route = "POST /auth/v1/admin/users";
      const refused = { kind: "error", ref: project.ref, route, status: 400, times: 1 };
      await berth.sandbox.addFault(refused);
      await begin("credentials", given);
      await ended();
    }
    const when = wrong.before ?? firstConnection;
    const held = scene.proxy.arm({ from: "client", when, action: "pause" });
    await (wrong.isBuilt ? begin("retry") : begin("credentials", given));
    await held.reached;
    await wrong.arrange?.(scene);
    held.release();
    const beside = wrong.beside?.(scene, over.signal);
    const request = await ended();
    over.abort();
    await beside;
    const step = request.run.steps.find(({ error }: { error?: unknown }) => error);
    const shown = await fetch(`${berth.local.info.url}/desk/requests/${requestId}/run`, {
      headers: { cookie },
    });
    return {
      failure: step?.error ?? request.failure,
      page: textOf(await shown.text()),
      api: JSON.stringify(request),
      project,
    };
  } finally {
    over.abort();
    await close();
    const headers = { authorization: `Bearer ${berth.local.info.supabase.accessToken}` };
    const { managementUrl } = berth.local.info.supabase;
    await fetch(`${managementUrl}/v1/projects/${project.ref}`, { method: "DELETE", headers });
  }
}

async function openScene(berth: RunningBerth, requestId: string, project: SandboxProject) {
  const authority = path.join(berth.dataDir, "sandbox");
  const ca = await readFile(path.join(authority, "ca.crt"), "utf8");
  const upstream = {
    host: "127.0.0.1",
    port: Number(new URL(project.databaseUrl).port),
    tls: { ca },
  };
  const proxy = await startFaultProxy({ upstream, authority });
  const closers: (() => Promise<unknown>)[] = [() => proxy.close()];

  async function open(config: pg.ClientConfig): Promise<pg.Client> {
    const client = new pg.Client(config);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }
  async function once(config: pg.ClientConfig, text: string, values: unknown[]) {
    const client = await open(config);
    try {
      return (await client.query(text, values)).rows;
    } finally {
      await client.end();
    }
  }
  const customer = { connectionString: project.databaseUrl, ssl: { ca } };
  const scene: Scene = {
    berth,
    requestId,
    project,
    proxy,
    sql: (text, values = []) => once(customer, text, values),
    async session(name) {
      const client = await open({ ...customer, application_name: name });
      closers.push(() => client.end());
      return client;
    },
    own: (text, values = []) =>
      once({ connectionString: berth.local.info.databaseUrl }, text, values),
    async impostor() {
      await proxy.close();
      closers.push(await startImpostor(proxy.port));
    },
  };
  const close = async () => {
    for (const closer of closers) await closer().catch(() => undefined);
  };
  return { scene, close };
}

/** Speaks PostgreSQL's TLS on this port, with a certificate of an authority of its own. */
async function startImpostor(port: number): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), "berth-impostor-"));
  await createAuthority(folder);
  const minted = await mintServerCertificate(folder);
  await rm(folder, { recursive: true });
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write("S");
      new tls.TLSSocket(socket, { isServer: true, ...minted }).on("error", () => undefined);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** Signs in as a member of the staff; what a browser would send with each request from then on. */
export async function signInAsStaff(berth: RunningBerth): Promise<string> {
  const { url, accounts } = berth.local.info;
  const account = accounts.find(({ role }) => role !== "customer");
  if (!account) throw new Error("There is no account of the staff.");
  const { email, password } = account;
  const answer = await fetch(`${url}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ email, password }),
  });
  if (answer.status !== 303) throw new Error(`Signing in was answered ${answer.status}.`);
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";", 1)[0])
    .join("; ");
}

const ENTITIES: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#x27": "'",
  "#x2F": "/",
};

/** What a person reads on a page: no tags, no scripts, single spaces. */
function textOf(html: string): string {
  return html
    .replace(/<script.*?<\/script>/gs, " ")
    .replace(/<[^>]*>/g, "")
    .replace(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole)
    .replace(/\s+/g, " ");
}

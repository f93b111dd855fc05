import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createCallCounter } from "./calls.ts";
import { type ControlParts, controlRoutes } from "./control.ts";
import { createFaults } from "./faults.ts";
import { openGateway } from "./gateway/gateway.ts";
import { createManagementApi, tooManyRequests } from "./management/api.ts";
import { createLimiter } from "./management/limits.ts";
import { pageRoutes } from "./page/projects.ts";
import { ensureCertificates } from "./platform/certificates.ts";
import {
  type Answer,
  type Call,
  createRouter,
  isLocalHost,
  type Listening,
  listen,
} from "./platform/http.ts";
import type { Logger } from "./platform/log.ts";
import { serve } from "./platform/serve.ts";
import { startPooler } from "./pooler.ts";
import { openDatabases } from "./projects/databases.ts";
import { createLifecycle } from "./projects/lifecycle.ts";
import type { Project } from "./projects/project.ts";
import { openStore } from "./projects/store.ts";
import type { SandboxSettings } from "./settings.ts";

/** A running sandbox. */
export interface Sandbox {
  /** Address of the Management API and of the page. */
  managementUrl: string;
  poolerPort: number;
  caFile: string;
  /** Stops every server and every database it started. */
  stop(): Promise<void>;
}

/** A form or script of another site must not act here, nor read what is shown here. */
function foreign(call: Call): boolean {
  const origin = call.header("origin");
  if (!isLocalHost(call.header("host"))) return true;
  return (
    call.method !== "GET" && origin !== undefined && origin !== `http://${call.header("host")}`
  );
}

/**
 * Starts the stand-in for Supabase with all that its data directory knows. The first start of a
 * data directory takes seconds (it prepares the databases), later ones do not.
 */
export async function startSandbox(settings: SandboxSettings, log: Logger): Promise<Sandbox> {
  await mkdir(settings.dataDir, { recursive: true, mode: 0o711 });
  const certificates = await ensureCertificates(settings.dataDir);
  const store = await openStore(path.join(settings.dataDir, "projects"));
  const databases = await openDatabases({
    folder: settings.dataDir,
    certificates,
    store,
    log,
    idleAfterMs: settings.idleAfterMs,
    fsync: settings.fsync,
  });
  const faults = createFaults();
  const counter = createCallCounter();
  const gateways = new Map<string, Listening>();

  const closed = async (project: Project) => {
    await gateways.get(project.ref)?.close();
    gateways.delete(project.ref);
  };
  const opened = async (project: Project) => {
    try {
      gateways.set(project.ref, await openGateway({ project, databases, faults, counter, log }));
    } catch (error) {
      // Its keys and its URL belong together, so another port would be another project.
      log.error({ err: error, ref: project.ref, port: project.port }, "gateway could not listen");
    }
  };
  const lifecycle = createLifecycle({ settings, store, databases, faults, log, opened, closed });
  const pooler = await startPooler({
    port: settings.poolerPort,
    certificates,
    store,
    databases,
    faults,
    log,
  });
  const poolerPort = () => pooler.port;
  const limiter = createLimiter(settings.requestsPerMinute);
  const management = createManagementApi({
    settings,
    store,
    databases,
    lifecycle,
    faults,
    limiter,
    poolerPort,
  });
  const caFile = certificates.caFile;
  const parts: ControlParts = { store, lifecycle, faults, counter, caFile, poolerPort };
  const findRoute = createRouter({ ...controlRoutes(parts), ...pageRoutes(parts) });
  const isApi = (call: Call) => call.path.startsWith("/v1/");
  const refOf = (call: Call) => /^\/v1\/projects\/([a-z]{20})\b/.exec(call.path)?.[1] ?? null;

  async function answer(call: Call): Promise<Answer> {
    if (isApi(call)) {
      const made = await management.answer(call);
      if (made.ref) counter.count(made.ref, made.route, made.answer.status);
      return made.answer;
    }
    if (foreign(call)) {
      return { status: 403, json: { message: "This page answers its own machine only." } };
    }
    const found = findRoute(call.method, call.path);
    if (!found) return { status: 404, json: { message: `Cannot ${call.method} ${call.path}` } };
    return found.route.handler({ ...call, params: found.params });
  }

  await lifecycle.resume();
  const service = {
    log,
    headers: {},
    strike: (call: Call) =>
      isApi(call) ? faults.strike(refOf(call), `${call.method} ${call.path}`) : [],
    tooMany: () =>
      tooManyRequests({
        allowed: false,
        headers: {
          "x-ratelimit-limit": `${settings.requestsPerMinute}`,
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": "1",
          "retry-after": "1",
        },
      }),
    answer,
  };
  const server = await listen(
    settings.port,
    (request, response) => void serve(service, request, response),
  );
  log.info({ port: server.port, poolerPort: pooler.port }, "sandbox is ready");

  return {
    managementUrl: `http://127.0.0.1:${server.port}`,
    poolerPort: pooler.port,
    caFile,
    async stop() {
      await server.close();
      await lifecycle.close();
      await Promise.all([...gateways.values()].map((gateway) => gateway.close()));
      await pooler.close();
      await databases.stopAll();
    },
  };
}

/** The web process: `npm run web`, or `node app/server.ts --dev` below `npm run dev`. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import express from "@remix-run/express";
import type { ServerBuild } from "@remix-run/node";
import { parseEnv } from "#app/platform/env.ts";
import { createLogger, type Logger } from "#app/platform/log.ts";
import { installShutdown } from "#app/platform/shutdown.ts";
import { createApplication } from "#app/web/http/application.ts";
import { startDevelopmentAssets } from "#app/web/http/development.ts";
import { createHttpServer, drain, listen } from "#app/web/http/listener.ts";
import { liveStreams } from "#app/web/live/streams.ts";
import { createRuntime } from "#app/web/runtime.server.ts";

const BUILD = path.join(import.meta.dirname, "..", "build");

async function loadBuild(): Promise<ServerBuild> {
  // When React is loaded it chooses by this which of its builds it is: the one for development takes
  // twice the time for a page.
  process.env.NODE_ENV = "production";
  return await import(pathToFileURL(path.join(BUILD, "server", "index.js")).href);
}

async function main(log: Logger): Promise<void> {
  const env = parseEnv(process.env);
  log.level = env.logLevel;
  const development = process.argv.includes("--dev");
  if (development && env.mode !== "local") throw new Error("--dev is for local mode alone.");

  const server = createHttpServer();
  const runtime = await createRuntime(env, log);
  const vite = development ? await startDevelopmentAssets(server) : null;
  const shutdown = installShutdown({
    log,
    timeoutMs: env.shutdownTimeoutMs,
    phases: [
      { name: "requests", run: () => drain(server, env.shutdownTimeoutMs / 2) },
      { name: "runtime", run: () => runtime.close() },
      { name: "vite", run: () => vite?.close() },
    ],
  });
  server.on(
    "request",
    createApplication({
      log,
      publicUrl: env.publicUrl,
      trustedProxies: env.trustedProxies,
      ready: () => runtime.ready(),
      stopping: shutdown.signal,
      assets: vite ? vite.middleware : path.join(BUILD, "client"),
      live: liveStreams({
        hub: runtime.hub,
        db: runtime.services.db,
        auth: runtime.auth,
        log,
        stopping: shutdown.signal,
      }),
      handler: express.createRequestHandler({
        build: vite ? vite.build : await loadBuild(),
        // Not NODE_ENV: outside of development no stack reaches a browser, whatever it says.
        mode: development ? "development" : "production",
        getLoadContext: (request, response) => ({
          runtime,
          cspNonce: response.locals.cspNonce,
          correlationId: response.locals.correlationId,
          clientAddress: request.ip ?? "",
        }),
      }),
    }),
  );
  await listen(server, env.port, env.host);
  log.info({ host: env.host, port: env.port, publicUrl: env.publicUrl }, "listening");
}

const log = createLogger({ level: "info" }).child({ process: "web" });
try {
  await main(log);
} catch (error) {
  log.fatal({ err: error }, error instanceof Error ? error.message : "could not start");
  process.exit(1);
}

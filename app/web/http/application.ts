import path from "node:path";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import type { Logger } from "#app/platform/log.ts";
import { endAfterLargeForm } from "./form-size.ts";
import { health, readiness } from "./health.ts";
import { refuseForeignOrigin } from "./origin.ts";
import { requestLog } from "./request-log.ts";
import { securityHeaders } from "./security-headers.ts";

export interface ApplicationOptions {
  log: Logger;
  /** Origin of PUBLIC_URL: what requests are taken to be addressed to. */
  publicUrl: string;
  trustedProxies: string[];
  /** Rejects while requests cannot be served. */
  ready: () => Promise<void>;
  /** Aborted from the beginning of the shutdown. */
  stopping: AbortSignal;
  /** Folder of the client build, or what serves files during development. */
  assets: string | RequestHandler;
  /** Answers /live/…; passes everything else on. */
  live: RequestHandler;
  /** Answers what no file answers. */
  handler: RequestHandler;
}

/**
 * Routes see the address that the operator configured, never one that the client claims: the
 * Host and X-Forwarded-Host headers are the client's words.
 */
function canonicalHost(publicUrl: string): RequestHandler {
  const { host } = new URL(publicUrl);
  return (request, _response, next) => {
    request.headers.host = host;
    delete request.headers["x-forwarded-host"];
    next();
  };
}

/**
 * Refuses an address that routes would read otherwise than the checks before them, such as
 * /api/../sign-in: every URL parser takes the dots out, and browsers do before they send.
 */
function plainAddress(publicUrl: string): RequestHandler {
  const { origin } = new URL(publicUrl);
  return (request, response, next) => {
    const [path = ""] = request.originalUrl.split(/[?#]/, 1);
    if (new URL(`${origin}${request.originalUrl}`).pathname === path) {
      next();
      return;
    }
    response.status(400).set("Cache-Control", "no-store").type("text");
    response.send("The address of this request cannot be read.\n");
  };
}

function builtAssets(app: Express, folder: string): void {
  const options = { index: false, redirect: false, dotfiles: "ignore" } as const;
  // Names of files under assets/ carry a hash of their content.
  app.use(
    "/assets",
    express.static(path.join(folder, "assets"), { ...options, immutable: true, maxAge: "1y" }),
    (_request, response) => {
      response.status(404).set("Cache-Control", "no-store").type("text").send("No such file.\n");
    },
  );
  app.use(express.static(folder, { ...options, maxAge: "1h" }));
}

function failure(log: Logger): ErrorRequestHandler {
  return (error, _request, response, next) => {
    const correlationId = response.locals.correlationId as string;
    // A malformed address or header is the client's doing; Node and express mark them.
    const malformed = error instanceof URIError || error?.code === "ERR_INVALID_URL";
    const status = malformed || error?.status === 400 ? 400 : 500;
    log[status === 400 ? "info" : "error"]({ err: error, correlationId }, "request failed");
    if (response.headersSent) {
      next(error);
      return;
    }
    const text =
      status === 400
        ? "The address of this request cannot be read.\n"
        : `Berth could not answer this request. Say this number if you ask about it: ${correlationId}\n`;
    response.status(status).set("Cache-Control", "no-store").type("text").send(text);
  };
}

/** The express application around Remix's request handler; it listens nowhere by itself. */
export function createApplication(options: ApplicationOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  // The answer streams; an ETag would need the whole of it.
  app.disable("etag");
  app.set("trust proxy", options.trustedProxies.length > 0 ? options.trustedProxies : false);
  app.use(requestLog(options.log));
  app.use(
    securityHeaders({
      secure: options.publicUrl.startsWith("https:"),
      development: typeof options.assets !== "string",
    }),
  );
  app.use(plainAddress(options.publicUrl));
  app.get("/healthz", health);
  app.get("/readyz", readiness(options));
  if (typeof options.assets === "string") builtAssets(app, options.assets);
  else app.use(options.assets);
  app.use(canonicalHost(options.publicUrl));
  app.use(refuseForeignOrigin(options.publicUrl));
  app.use(options.live);
  app.use(endAfterLargeForm);
  app.all("*", options.handler);
  app.use(failure(options.log));
  return app;
}

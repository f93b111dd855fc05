import type { RequestHandler } from "express";
import type { Logger } from "#app/platform/log.ts";

/** How long the database may take to answer before the process counts as not ready. */
const READY_TIMEOUT_MS = 3_000;

/** `/healthz`: the process is alive and its event loop turns. It asks nobody else. */
export const health: RequestHandler = (_request, response) => {
  response.set("Cache-Control", "no-store").json({ status: "ok" });
};

/**
 * `/readyz`: 200 when requests can be served (the database answers, its migrations are current),
 * 503 otherwise and from the beginning of a shutdown, so that a load balancer looks elsewhere.
 * The reason is logged, not told.
 */
export function readiness(options: {
  ready: () => Promise<void>;
  stopping: AbortSignal;
  log: Logger;
}): RequestHandler {
  return async (_request, response) => {
    response.set("Cache-Control", "no-store");
    if (options.stopping.aborted) {
      response.status(503).json({ status: "shutting down" });
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer in time")), READY_TIMEOUT_MS);
    });
    try {
      await Promise.race([options.ready(), late]);
      response.json({ status: "ready" });
    } catch (error) {
      options.log.warn({ err: error }, "not ready");
      response.status(503).json({ status: "not ready" });
    } finally {
      clearTimeout(timer);
    }
  };
}

import { randomUUID } from "node:crypto";
import type { RequestHandler } from "express";
import type { Logger } from "#app/platform/log.ts";

/** What a correlation id from outside may look like; anything else is replaced. */
const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * A path fit for the log: without its query, and without long random parts that may be the
 * token of a one-time link (UUIDs are names, not secrets).
 */
export function loggablePath(url: string): string {
  const path = url.split(/[?#]/, 1)[0] ?? "";
  return path
    .split("/")
    .map((part) => (/^[\w%.~-]{24,}$/.test(part) && !uuid.test(part) ? "[long]" : part))
    .join("/")
    .slice(0, 500);
}

/**
 * Gives every request a correlation id (`X-Request-Id` when well-formed, else a new UUID) in
 * `res.locals.correlationId` and the answer, and writes one line when it has ended.
 */
export function requestLog(log: Logger): RequestHandler {
  return (request, response, next) => {
    const given = request.get("x-request-id");
    const correlationId = given && wellFormed.test(given) ? given : randomUUID();
    response.locals.correlationId = correlationId;
    response.set("X-Request-Id", correlationId);
    const begin = process.hrtime.bigint();
    response.on("close", () => {
      const path = loggablePath(request.originalUrl);
      const quiet = path === "/healthz" || path === "/readyz" || path.startsWith("/assets/");
      const status = response.statusCode;
      log[status >= 500 ? "error" : quiet ? "debug" : "info"](
        {
          correlationId,
          method: request.method,
          path,
          status,
          ms: Number(process.hrtime.bigint() - begin) / 1e6,
          address: request.ip,
          // The connection closed before the whole answer was written.
          aborted: response.writableFinished ? undefined : true,
        },
        "request",
      );
    });
    next();
  };
}

import type { RequestHandler } from "express";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what another site's page sends in a visitor's name: an unsafe method whose Origin is not
 * ours, absent and `null` included. Calls of the API with a key may come from anywhere: a browser
 * never adds a key by itself. Those that bring neither Origin nor cookie are no browser's, and learn
 * from the API that they need a key.
 */
export function refuseForeignOrigin(publicUrl: string): RequestHandler {
  const { origin: ours } = new URL(publicUrl);
  return (request, response, next) => {
    const origin = request.get("origin");
    const speaksForNobody = origin === undefined && request.get("cookie") === undefined;
    const hasKey = request.get("authorization") !== undefined;
    const isCall = /^\/api(\/|$)/.test(request.path) && (hasKey || speaksForNobody);
    if (SAFE.has(request.method) || origin === ours || isCall) {
      next();
      return;
    }
    response
      .status(403)
      .set("Cache-Control", "no-store")
      .type("text")
      .send(`This was sent from another site. Open ${ours} and send it from there.\n`);
  };
}

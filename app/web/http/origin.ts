import type { RequestHandler } from "express";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what another site's page sends in a visitor's name: an unsafe method whose Origin is not
 * ours; absent and `null` are not ours either. Calls of the API go by a key, which a browser never
 * adds by itself: with one they may come from anywhere, and without one they are answered there.
 */
export function refuseForeignOrigin(publicUrl: string): RequestHandler {
  const { origin: ours } = new URL(publicUrl);
  return (request, response, next) => {
    const origin = request.get("origin");
    const byKey = request.path.startsWith("/api/");
    const isOurs = origin === ours || (origin === undefined && byKey);
    const hasKey = byKey && request.get("authorization") !== undefined;
    if (SAFE.has(request.method) || isOurs || hasKey) {
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

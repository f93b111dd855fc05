import type { RequestHandler } from "express";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what another site's page sends in a visitor's name: an unsafe method whose Origin is not
 * ours, `null` included. Calls with a key carry nothing of the browser's own and may come from
 * anywhere; so may what is no browser and sends no Origin, since nothing here goes by cookies.
 */
export function refuseForeignOrigin(publicUrl: string): RequestHandler {
  const { origin: ours } = new URL(publicUrl);
  return (request, response, next) => {
    const origin = request.get("origin");
    const isForeign = origin !== undefined && origin !== ours;
    if (SAFE.has(request.method) || !isForeign || request.get("authorization") !== undefined) {
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

import type { RequestHandler } from "express";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Refuses what another site's page sends in a visitor's name: an unsafe method whose Origin is not
 * ours, `null` included. An absent one is refused where a cookie speaks for the visitor; what is no
 * browser and brings no cookie has nothing that could be misused. Calls of the API with a key may
 * come from anywhere: a browser never adds a key by itself.
 */
export function refuseForeignOrigin(publicUrl: string): RequestHandler {
  const { origin: ours } = new URL(publicUrl);
  return (request, response, next) => {
    const origin = request.get("origin");
    const speaksForNobody = origin === undefined && request.get("cookie") === undefined;
    const hasKey = request.path.startsWith("/api/") && request.get("authorization") !== undefined;
    if (SAFE.has(request.method) || origin === ours || speaksForNobody || hasKey) {
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

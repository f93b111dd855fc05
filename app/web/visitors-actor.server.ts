import type { AppLoadContext } from "@remix-run/node";
import type { Actor } from "#db/index.ts";

/** Who acts before anybody is signed in: the website, on behalf of an address. */
export const visitorsActor = ({ clientAddress, correlationId }: AppLoadContext): Actor => ({
  kind: "api",
  id: "web",
  origin: clientAddress,
  correlationId,
});

import type { AppLoadContext } from "@remix-run/node";
import type { Actor } from "#db/index.ts";
import { EACH_ACCOUNT_REQUEST, spend } from "./api/limits.ts";

/**
 * Who acts before anybody is signed in, and who keeps the limits: the website, on behalf of an
 * address.
 */
export const visitorsActor = ({ clientAddress, correlationId }: AppLoadContext): Actor => ({
  kind: "api",
  id: "web",
  origin: clientAddress,
  correlationId,
});

/**
 * Counts what a customer submits or takes back: each of them mails, and stands before the desk.
 * @throws RateLimitedError
 */
export const spendRequest = (context: AppLoadContext, { userId }: { userId: string }) =>
  spend(context.runtime.services.db, visitorsActor(context), EACH_ACCOUNT_REQUEST, userId);

/** What better-auth may know of who signs in: never an address that the client claims. */
export function signInHeaders(request: Request, { clientAddress }: AppLoadContext): Headers {
  return new Headers({
    "user-agent": request.headers.get("user-agent") ?? "",
    "x-forwarded-for": clientAddress,
  });
}

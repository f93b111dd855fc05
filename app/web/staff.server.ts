import type { ActionFunctionArgs } from "@remix-run/node";
import type { StaffDeps } from "#app/domain/staff/index.server.ts";
import type { Actor } from "#db/index.ts";

/** What the domain's commands about staff need, from this request. */
export function staffDeps(
  { context }: Pick<ActionFunctionArgs, "context">,
  actor: Actor,
): StaffDeps {
  const { services, auth } = context.runtime;
  return { db: services.db, auth, actor };
}

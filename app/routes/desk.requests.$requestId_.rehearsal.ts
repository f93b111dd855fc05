import type { ActionFunctionArgs } from "@remix-run/node";
import { readForm } from "#app/web/forms.server.ts";
import { rehearsePasted } from "#app/web/rehearsal.server.ts";
import { requestIdOf } from "#app/web/request-id.server.ts";
import { requireDesk } from "#app/web/session.server.ts";

/**
 * A rehearsal for a page that waits for it. Pasted values come in the body, or none for the project
 * that the request has; no answer repeats them. Whoever leaves the page ends it.
 */
export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const { context, request } = args;
  const act = { context, actor, requestId: requestIdOf(args.params) };
  const { status, answer } = await rehearsePasted(act, await readForm(request), request.signal);
  return Response.json(answer, { status, headers: { "Cache-Control": "no-store" } });
}

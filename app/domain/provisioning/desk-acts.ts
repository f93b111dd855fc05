import { z } from "zod";
import { PRIORITIES } from "#db/catalog.ts";
import type { Catalog } from "../catalog/index.server.ts";
import {
  addNote,
  type Context,
  changePriority,
  claimRequest,
  releaseRequest,
  requireUnmoved,
  resumeRequest,
} from "../queue/index.server.ts";
import { noteInput } from "../queue/schema.ts";
import { cancelRun, lockOpenRun } from "./cancel-run.ts";
import { cancelRequest, retryRequest } from "./commands.ts";
import { acceptDrift, driftAcceptance } from "./drift-acceptance.ts";

/** What each form of a request's page carries: what the person saw when deciding. */
const seen = {
  version: z.coerce.number().int().positive().max(2_147_483_647),
  eventId: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
};

const INTENTS = ["claim", "release", "cancel", "retry", "resume", "cancel-run"] as const;

/** An act on a request, as its page sends it. */
export const deskAct = z.discriminatedUnion("intent", [
  z.object({ intent: z.enum(INTENTS), ...seen }),
  z.object({ intent: z.literal("priority"), priority: z.enum(PRIORITIES), ...seen }),
  z.object({ intent: z.literal("note"), text: noteInput, ...seen }),
  z.object({ intent: z.literal("accept-drift"), ...driftAcceptance.shape, ...seen }),
]);
export type DeskAct = z.infer<typeof deskAct>;

/**
 * Does one act, unless the request has moved on since the person looked. Claiming asks for nothing
 * but that it is free, and says itself who was faster; a note is as good as before.
 * @throws MovedOnError, and what the act itself throws
 */
export async function actOnRequest(
  { tx, actor, catalog }: Context & { catalog: Catalog },
  requestId: string,
  act: DeskAct,
): Promise<void> {
  const context = { tx, actor };
  const unmoved = (heeded?: string[]) => requireUnmoved(context, requestId, act, heeded);
  switch (act.intent) {
    case "claim":
      await claimRequest(context, requestId);
      return;
    case "note":
      return addNote(context, requestId, act.text);
    case "priority":
      await unmoved(["priority_changed"]);
      await changePriority(context, requestId, act.priority);
      return;
    case "accept-drift":
      // The digest says what the person saw.
      await acceptDrift(context, requestId, act);
      return;
    case "release":
      await unmoved();
      await releaseRequest(context, requestId);
      return;
    case "resume":
      await unmoved();
      await resumeRequest(context, requestId);
      return;
    case "retry":
      await unmoved();
      return retryRequest(context, catalog, requestId);
    case "cancel-run":
      await lockOpenRun(tx, requestId);
      await unmoved();
      return cancelRun(context, requestId);
    case "cancel":
      await unmoved();
      return cancelRequest(context, requestId);
  }
}

import type { ActionFunctionArgs, LoaderFunctionArgs } from "@remix-run/node";
import { regionName, tellAnswers } from "#app/domain/onboarding/index.server.ts";
import { type Tracking, trackRequest } from "#app/domain/provisioning/index.server.ts";
import {
  momentInWords,
  type Outlook,
  outlookOf,
  RequestNotFoundError,
  windowInWords,
  zoneInWords,
} from "#app/domain/queue/index.server.ts";
import type { Actor } from "#db/index.ts";
import { requestIdOf } from "./request-id.server.ts";
import { inTx } from "./session.server.ts";

type Args = LoaderFunctionArgs | ActionFunctionArgs;

/** The house looks at the whole queue for a customer, who may not see the others in it. */
const HOUSE: Actor = { kind: "worker", id: "tracking", origin: "", correlationId: "" };

/**
 * What the page of a customer's request shows, with every moment in words of the customer's zone.
 * @throws 404 for an id that is not one, is not there, or is another's: nobody learns which
 */
export async function readTracking(args: Args, actor: Actor) {
  const { catalog } = args.context.runtime.services;
  const tracking = await ownOrNotFound(args, actor, (requestId) =>
    inTx(args, actor, (tx) => trackRequest({ tx, catalog }, requestId)),
  );
  const outlook = await inTx(args, HOUSE, (tx) =>
    outlookOf(tx, tracking.requestId, args.context.runtime.hub.placeOf(tracking.requestId)),
  );
  const { parameters, ...shown } = inWords(tracking, outlook);
  return { ...shown, settings: tellAnswers(catalog, parameters) };
}

/** Does something for a customer with the request that the address names. @throws as above */
export async function ownOrNotFound<T>(
  { params, context }: Args,
  actor: Actor,
  work: (requestId: string) => Promise<T>,
): Promise<T> {
  const requestId = requestIdOf(params);
  try {
    return await work(requestId);
  } catch (error) {
    if (!(error instanceof RequestNotFoundError)) throw error;
    const { correlationId } = context;
    context.runtime.log.warn(
      { userId: actor.id, requestId, correlationId },
      "a customer asked for a request that is not its own",
    );
    throw new Response(null, { status: 404 });
  }
}

function inWords(tracking: Tracking, { now, position, waiting, expected }: Outlook) {
  const { timezone, timeline, ownerLink, dueAt } = tracking;
  const moment = (at: string) => momentInWords(new Date(at), now, timezone);
  // At the beginning, and after "until", it goes without its preposition.
  const bare = (at: string) => moment(at).replace(/^on /, "");
  const due = dueAt === null ? null : new Date(dueAt);
  return {
    ...tracking,
    region: regionName(tracking.region),
    zone: zoneInWords(timezone),
    place: { position, waiting },
    expected: expected && windowInWords(expected, now, timezone),
    isLate: tracking.endedAt === null && due !== null && due <= now,
    promised: due && tracking.endedAt === null ? momentInWords(due, now, timezone) : null,
    timeline: timeline.map((entry) => ({ ...entry, when: capital(bare(entry.at)) })),
    ownerLink: ownerLink && {
      state: ownerLink.state,
      when: ownerLink.at && moment(ownerLink.at),
      expires: bare(ownerLink.expiresAt),
    },
    askedAt: tracking.askedAt && moment(tracking.askedAt),
  };
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

import { and, desc, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/redact.ts";
import { user } from "#db/auth.ts";
import type { Tx } from "#db/index.ts";
import {
  driftAcceptances,
  provisioningRuns,
  provisioningSteps,
  type StepError,
} from "#db/provisioning.ts";
import { requestEvents } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import { addEvent, type Context, lockRequest } from "../queue/index.server.ts";

/** How long a reason must be, and may be, in characters. */
const REASON = { shortest: 10, longest: 500 };

/** What a supervisor sends to accept a difference: which one, and why it may stay. */
export const driftAcceptance = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z
    .string()
    .max(REASON.longest * 4)
    .transform((text) =>
      text
        .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, "\n")
        .replace(/[^\P{Cc}\n\t]|\p{Cf}/gu, "")
        .toWellFormed()
        .trim(),
    )
    .refine((text) => text.replace(/\s/gu, "").length >= REASON.shortest, {
      message: `Say in at least ${REASON.shortest} characters why the difference may stay.`,
    })
    .refine((text) => text.length <= REASON.longest, {
      message: `Use at most ${REASON.longest} characters.`,
    }),
});
export type DriftAcceptanceInput = z.infer<typeof driftAcceptance>;

/** The request's newest run was not stopped by this difference. */
export class DriftNotFoundError extends BerthError {
  constructor() {
    super("drift_not_found", "The newest run was not stopped by this difference.", {
      found: "a run that ended otherwise, or that found another difference",
      needed: "the difference that stopped the newest run",
      fix: "Read the run's page again, and accept what it shows now.",
    });
  }
}

/** A supervisor's word that a difference may stay. */
export interface AcceptedDrift {
  digest: string;
  /** The supervisor's name. */
  by: string;
  /** ISO 8601 in UTC. */
  at: string;
  reason: string;
}

/**
 * Accepts exactly the difference that stopped the request's newest run: a retry passes the guard as
 * long as the database differs in nothing else. `reason`: as {@link driftAcceptance} lets it through.
 * @returns "already_accepted" where somebody was faster; nothing is changed then
 * @throws NotStaffError, RoleMissingError for all but supervisors, RequestNotFoundError,
 *   DriftNotFoundError
 */
export async function acceptDrift(
  { tx, actor }: Context,
  requestId: string,
  { digest, reason }: DriftAcceptanceInput,
): Promise<"accepted" | "already_accepted"> {
  await requireStaff(tx, actor.id, ["supervisor"]);
  await lockRequest(tx, requestId);
  const stopped = await newestDrift(tx, requestId);
  if (stopped?.error.digest !== digest) throw new DriftNotFoundError();
  const { backendId, runId, error } = stopped;
  if (await acceptanceOf(tx, backendId, digest)) return "already_accepted";
  const difference = error.difference ?? [];
  const kept = redactText(reason);
  await tx
    .insert(driftAcceptances)
    .values({ backendId, digest, difference, reason: kept, acceptedBy: actor.id });
  await recordAudit(tx, actor, {
    action: "drift.accept",
    subjectKind: "backend",
    subjectId: backendId,
    requestId,
    data: { runId, digest, lines: difference.length, reason: kept },
  });
  // Whoever waits for it on the run's page is told.
  await addEvent({ tx, actor }, requestId, "drift_accepted", { runId, reason: kept });
  return "accepted";
}

/** The acceptance of the difference that stopped the request's newest run, if there is one. */
export async function readAcceptance(tx: Tx, requestId: string): Promise<AcceptedDrift | null> {
  const stopped = await newestDrift(tx, requestId);
  if (!stopped?.error.digest) return null;
  const [found] = await tx
    .select({ acceptance: driftAcceptances, name: user.name })
    .from(driftAcceptances)
    .leftJoin(user, eq(user.id, driftAcceptances.acceptedBy))
    .where(isOf(stopped.backendId, stopped.error.digest));
  if (!found) return null;
  const { digest, acceptedAt, reason } = found.acceptance;
  return {
    digest,
    by: found.name ?? "Somebody who is no longer here",
    at: acceptedAt.toISOString(),
    reason,
  };
}

/**
 * Why a request stands as failed, as of now: once the difference that stopped it is accepted, it says
 * so, and asks for a retry in place of an acceptance.
 */
export async function tellFailure<Failure extends { code?: unknown }>(
  tx: Tx,
  requestId: string,
  failure: Failure,
): Promise<Failure> {
  const stopped = failure.code === "drift" ? await newestDrift(tx, requestId) : null;
  if (!stopped) return failure;
  // By the timeline: whoever asks through the API may not read the acceptances themselves.
  const { kind, data, actorId, at } = requestEvents;
  const [accepted] = await tx
    .select({ at, name: user.name })
    .from(requestEvents)
    .leftJoin(user, eq(user.id, actorId))
    .where(
      and(
        eq(requestEvents.requestId, requestId),
        eq(kind, "drift_accepted"),
        sql`${data} ->> 'runId' = ${stopped.runId}`,
      ),
    );
  if (!accepted) return failure;
  const by = accepted.name ?? "Somebody who is no longer here";
  return {
    ...failure,
    needed: `nothing more: ${by} accepted this difference on ${EXACT.format(accepted.at)} UTC`,
    fix: "Retry: the run goes on from where it stopped, as long as nothing else differs by then.",
  };
}

const EXACT = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  dateStyle: "long",
  timeStyle: "short",
});

/**
 * The lines of all differences that were accepted earlier, of the backend whose newest run was stopped
 * by another one; empty where it was stopped by none, or by one that is accepted itself.
 */
export async function readAcceptedLines(tx: Tx, requestId: string): Promise<string[]> {
  const stopped = await newestDrift(tx, requestId);
  if (!stopped) return [];
  const accepted = await tx
    .select({ digest: driftAcceptances.digest, lines: driftAcceptances.difference })
    .from(driftAcceptances)
    .where(eq(driftAcceptances.backendId, stopped.backendId));
  if (accepted.some(({ digest }) => digest === stopped.error.digest)) return [];
  return [...new Set(accepted.flatMap(({ lines }) => lines))];
}

/** Who accepted this difference of this backend, by the account's id. */
export async function acceptanceOf(
  tx: Tx,
  backendId: string,
  digest: string,
): Promise<{ by: string; reason: string } | null> {
  const [found] = await tx
    .select({ by: driftAcceptances.acceptedBy, reason: driftAcceptances.reason })
    .from(driftAcceptances)
    .where(isOf(backendId, digest));
  return found ?? null;
}

const isOf = (backendId: string, digest: string) =>
  and(eq(driftAcceptances.backendId, backendId), eq(driftAcceptances.digest, digest));

/** The newest run, if it failed because the database differs. */
async function newestDrift(
  tx: Tx,
  requestId: string,
): Promise<{ runId: string; backendId: string; error: StepError } | null> {
  const [run] = await tx
    .select()
    .from(provisioningRuns)
    .where(eq(provisioningRuns.requestId, requestId))
    .orderBy(desc(provisioningRuns.id))
    .limit(1);
  if (run?.status !== "failed") return null;
  const [step] = await tx
    .select({ error: provisioningSteps.error })
    .from(provisioningSteps)
    .where(and(eq(provisioningSteps.runId, run.id), eq(provisioningSteps.status, "failed")));
  if (step?.error?.code !== "drift") return null;
  return { runId: run.id, backendId: run.backendId, error: step.error };
}

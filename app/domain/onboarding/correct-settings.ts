import { and, eq, sql } from "drizzle-orm";
import { z } from "zod";
import { provisioningQueue } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Answers, type Catalog, completeAnswers } from "../catalog/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import {
  addEvent,
  type Context,
  HELD,
  lockRequest,
  RequestChangedError,
  type RequestStatus,
  requireHeld,
  requireUnmoved,
  type Seen,
} from "../queue/index.server.ts";
import { type AskedSettings, readAsked } from "./asked-settings.ts";
import { AnswersNotPossibleError, SettingsClosedError } from "./errors.ts";
import { newCustomerInput } from "./schema.ts";
import type { Given } from "./settings.ts";

const version = z
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);

/** What the form of a correction carries besides the answers: what the page showed. */
export const seenRequest = z.object({
  version: z.coerce.number().pipe(version),
  eventId: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
});

/** A correction, as the API takes it. */
export const correctionInput = z.strictObject({
  version: version.describe("The request's `version`, as it was read before."),
  parameters: newCustomerInput.shape.parameters
    .unwrap()
    .describe(
      "The answers to correct: feature → parameter → text, number, true or false. An answer that is left out stays as it is.",
    ),
});

/** In these states a run reads the answers, or is about to. */
const RUNNING: readonly RequestStatus[] = ["credentials_received", "migrating"];

/**
 * Corrects answers of a request that the person acting holds, unless it has moved on since they
 * looked; what is not given stays as it is. Only names of questions go into the timeline and the
 * audit record: an answer may be personal. What changes nothing leaves no trace.
 * @throws NotStaffError, MovedOnError; SettingsClosedError while a run reads them, and once they are
 * built in; AnswersNotPossibleError, and what {@link requireHeld} throws
 */
export async function correctSettings(
  { tx, actor, catalog }: Context & { catalog: Catalog },
  requestId: string,
  given: Given,
  seen: Seen,
): Promise<void> {
  await requireStaff(tx, actor.id);
  await requireUnmoved({ tx }, requestId, seen);
  const { status } = await lockRequest(tx, requestId);
  if (RUNNING.includes(status)) throw new SettingsClosedError("run");
  if (status === "completed") throw new SettingsClosedError("built");
  const request = await requireHeld({ tx, actor }, requestId, "correct the settings of", HELD);
  const asked = await readAsked({ tx, catalog }, request);
  refuseClosed(asked, given);
  const { parameters, changed } = correct(asked, request.parameters, given);
  if (changed.length === 0) return;
  const [corrected] = await tx
    .update(provisioningQueue)
    .set({
      parameters,
      version: sql`${provisioningQueue.version} + 1`,
      updatedAt: sql`berth_now()`,
    })
    .where(
      and(eq(provisioningQueue.id, request.id), eq(provisioningQueue.version, request.version)),
    )
    .returning({ id: provisioningQueue.id });
  if (!corrected) throw new RequestChangedError();
  const data = { answers: changed };
  await addEvent({ tx, actor }, request.id, "settings_corrected", data);
  await recordAudit(tx, actor, {
    action: "request.settings_corrected",
    subjectKind: "request",
    subjectId: request.id,
    requestId: request.id,
    data,
  });
}

const givenTo = (given: Given, template: string) =>
  Object.hasOwn(given, template) ? (given[template] ?? {}) : {};

/** @throws SettingsClosedError where another answer is given than the one that is built in */
function refuseClosed({ features }: AskedSettings, given: Given): void {
  for (const { template, answers, isOpen } of features) {
    if (isOpen) continue;
    const others = Object.entries(givenTo(given, template.name)).filter(
      ([name, value]) => answers[name] !== String(value),
    );
    if (others.length > 0) throw new SettingsClosedError("built", template.title);
  }
}

/** All answers as they are then, and which questions they change. @throws AnswersNotPossibleError */
function correct({ features, facts }: AskedSettings, before: Answers, given: Given) {
  const asking = features.map(({ template }) => template);
  const whole = features.map(({ template: { name }, answers }) => [
    name,
    { ...answers, ...givenTo(given, name) },
  ]);
  const all = { ...given, ...Object.fromEntries(whole) };
  const { answers, problems } = completeAnswers(asking, all, facts);
  if (problems.length > 0) throw new AnswersNotPossibleError(problems);
  const changed = Object.entries(answers).flatMap(([template, own]) =>
    Object.entries(own)
      .filter(([name, value]) => before[template]?.[name] !== value)
      .map(([name]) => `${template}.${name}`),
  );
  // What nobody asks any more is no reason to forget it.
  const kept = Object.entries(answers).map(([name, own]) => [name, { ...before[name], ...own }]);
  return { parameters: { ...before, ...Object.fromEntries(kept) } as Answers, changed };
}

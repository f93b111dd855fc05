import { and, eq, gt, sql } from "drizzle-orm";
import { z } from "zod";
import type { Tx } from "#db/index.ts";
import { provisioningQueue, requestEvents } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { type Answers, type Catalog, completeAnswers } from "../catalog/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import {
  addEvent,
  type Context,
  HELD,
  type RequestStatus,
  requireHeld,
  requireUnmoved,
  type Seen,
} from "../queue/index.server.ts";
import { type AskedSettings, readAsked } from "./asked-settings.ts";
import { AnswersNotPossibleError, SettingsClosedError } from "./errors.ts";
import { newCustomerInput } from "./schema.ts";
import { type Given, settingField } from "./settings.ts";

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

/** The timeline's word for it. */
const CORRECTED = "settings_corrected";

/** In these states a run reads the answers, or is about to. */
const RUNNING: readonly RequestStatus[] = ["credentials_received", "migrating"];

/**
 * Corrects answers of a request that the person acting holds, unless it has moved on since they
 * looked; what is not given stays as it is. Only names of questions go into the timeline and the
 * audit record: an answer may be personal. What changes nothing leaves no trace.
 * @throws NotStaffError, MovedOnError; SettingsClosedError while a run reads them, and once they are
 * built in or may be; AnswersNotPossibleError, and what {@link requireHeld} throws
 */
export async function correctSettings(
  { tx, actor, catalog }: Context & { catalog: Catalog },
  requestId: string,
  given: Given,
  seen: Seen,
): Promise<void> {
  // Whoever is not on the staff is not even told that the request has moved.
  await requireStaff(tx, actor.id);
  const { status } = await requireUnmoved({ tx }, requestId, seen);
  if (RUNNING.includes(status)) throw new SettingsClosedError("run");
  if (status === "completed") throw new SettingsClosedError("built");
  const request = await requireHeld({ tx, actor }, requestId, "correct the settings of", HELD);
  const asked = await readAsked({ tx, catalog }, request);
  const { parameters, changed } = correct(asked, given);
  if (changed.length === 0) return;
  await tx
    .update(provisioningQueue)
    .set({
      parameters,
      version: sql`${provisioningQueue.version} + 1`,
      updatedAt: sql`berth_now()`,
    })
    .where(eq(provisioningQueue.id, request.id));
  const data = { answers: changed };
  await addEvent({ tx, actor }, request.id, CORRECTED, data);
  await recordAudit(tx, actor, {
    action: `request.${CORRECTED}`,
    subjectKind: "request",
    subjectId: request.id,
    requestId: request.id,
    data,
  });
}

/**
 * All answers as they are then, and which of those given change: nothing but what is given is
 * written, although every answer must be one that a run takes.
 * @throws AnswersNotPossibleError; SettingsClosedError where one changes that is built in, or may be
 */
function correct({ features, facts, parameters: before }: AskedSettings, given: Given) {
  const asking = features.map(({ template }) => template);
  const all: Given = { ...given };
  for (const { template, answers } of features) {
    const own = Object.hasOwn(given, template.name) ? given[template.name] : {};
    all[template.name] = { ...answers, ...own };
  }
  const { answers, problems } = completeAnswers(asking, all, facts);
  if (problems.length > 0) throw new AnswersNotPossibleError(problems);
  const parameters: Answers = { ...before };
  const changed: string[] = [];
  for (const { template, closed } of features) {
    const own = answers[template.name] ?? {};
    for (const { name } of template.parameters) {
      const value = own[name];
      const isGiven = given[template.name]?.[name] !== undefined;
      if (!isGiven || value === undefined || value === before[template.name]?.[name]) continue;
      if (closed) throw new SettingsClosedError(closed, template.title);
      parameters[template.name] = { ...parameters[template.name], [name]: value };
      changed.push(settingField(template.name, name));
    }
  }
  return { parameters, changed };
}

/** The names of what was corrected after an event, as a form's fields have them. */
export async function correctedSince(
  tx: Tx,
  requestId: string,
  eventId: number,
): Promise<Set<string>> {
  const rows = await tx
    .selectDistinct({
      name: sql<string>`jsonb_array_elements_text(${requestEvents.data} -> 'answers')`,
    })
    .from(requestEvents)
    .where(
      and(
        eq(requestEvents.requestId, requestId),
        eq(requestEvents.kind, CORRECTED),
        gt(requestEvents.id, eventId),
      ),
    );
  return new Set(rows.map(({ name }) => name));
}

import type { ActionFunctionArgs } from "@remix-run/node";
import type { Catalog } from "#app/domain/catalog/index.server.ts";
import {
  AnswersNotPossibleError,
  correctedSince,
  correctSettings,
  readSettings,
  type SettingField,
  seenRequest,
  viewCorrection,
} from "#app/domain/onboarding/index.server.ts";
import type { Standing } from "#app/domain/provisioning/index.server.ts";
import type { Actor, Tx } from "#db/index.ts";
import { orRefuse, type Refusal } from "./desk-acts.server.ts";
import type { FieldErrors } from "./forms.server.ts";
import { inTx, type StaffVisitor } from "./session.server.ts";
import { echoOf, errorsOf } from "./setting-answers.server.ts";

/** Why settings were not corrected, and what the person wrote. */
export interface CorrectionAnswer {
  errors: FieldErrors;
  /** Null where the fields say it all. */
  refusal: Refusal | null;
  values: Record<string, string>;
}

/** Whether a person who stands so to a request finds anything to correct in its settings. */
export async function canCorrect(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  { requestId, standing }: { requestId: string; standing: Standing },
): Promise<boolean> {
  if (standing !== "mine" && standing !== "supervising") return false;
  return (await viewCorrection({ tx, catalog }, requestId)).open.length > 0;
}

/**
 * Corrects the settings of a request by what its page sends.
 * @returns null where it was done. @throws a 404 response where there is no such request; 400 for a
 *   form that no page sends
 */
export async function correctOrTell(
  args: ActionFunctionArgs,
  person: { visitor: StaffVisitor; actor: Actor },
  requestId: string,
  form: FormData,
): Promise<{ answer: CorrectionAnswer; status: number } | null> {
  const seen = seenRequest.safeParse(Object.fromEntries(form));
  if (!seen.success) throw new Response(null, { status: 400 });
  const { actor } = person;
  const { catalog } = args.context.runtime.services;
  const tried = await orRefuse(args, person, requestId, seen.data, () =>
    inTx(args, actor, (tx) =>
      correctSettings({ tx, actor, catalog }, requestId, readSettings(form), seen.data),
    ),
  );
  if (tried.done) return null;
  const { error, refusal, status } = tried;
  const { open, corrected } = await inTx(args, actor, async (tx) => ({
    ...(await viewCorrection({ tx, catalog }, requestId)),
    corrected: await correctedSince(tx, requestId, seen.data.eventId),
  }));
  const fields = open.flatMap((feature) => feature.fields);
  const isAboutAnswers = error instanceof AnswersNotPossibleError;
  const values = echoOf(form, sentFields(form, fields));
  const errors = isAboutAnswers
    ? errorsOf(error, fields)
    : correctedMeanwhile(
        fields.filter(({ name, value }) => corrected.has(name) && values[name] !== value),
      );
  const isTold = isAboutAnswers && Object.keys(errors).length > 0;
  const answer = { errors, refusal: isTold ? null : refusal, values };
  return { answer, status };
}

/**
 * Of fields that somebody else corrected since the page was opened, to another answer than they
 * have: sent again as they are, they would undo it.
 */
const correctedMeanwhile = (fields: readonly SettingField[]): FieldErrors =>
  Object.fromEntries(
    fields.map((field) => [field.name, [`This was corrected meanwhile, to: ${inWords(field)}`]]),
  );

const inWords = ({ kind, value, options }: SettingField): string => {
  if (kind === "boolean") return value === "true" ? "Yes" : "No";
  return options.find((option) => option.value === value)?.label ?? (value || "Left empty");
};

/** The fields that the form had; an unticked box is named beside what it would send. */
function sentFields(form: FormData, fields: readonly SettingField[]): SettingField[] {
  const boxes = new Set(form.getAll("asked"));
  return fields.filter(({ name }) => form.has(name) || boxes.has(name));
}

import type { ActionFunctionArgs } from "@remix-run/node";
import {
  AnswersNotPossibleError,
  correctSettings,
  readSettings,
  type SettingField,
  seenRequest,
  viewCorrection,
} from "#app/domain/onboarding/index.server.ts";
import type { RequestChange } from "#app/domain/queue/index.server.ts";
import type { Actor } from "#db/index.ts";
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
  const now = await inTx(args, actor, (tx) => viewCorrection({ tx, catalog }, requestId));
  const fields = now.open.flatMap((feature) => feature.fields);
  const isAboutAnswers = error instanceof AnswersNotPossibleError;
  const values = echoOf(form, sentFields(form, fields));
  const errors = isAboutAnswers
    ? errorsOf(error, fields)
    : correctedMeanwhile(
        fields.filter(({ name, value }) => values[name] !== value),
        refusal.changes,
      );
  const isTold = isAboutAnswers && Object.keys(errors).length > 0;
  const answer = { errors, refusal: isTold ? null : refusal, values };
  return { answer, status };
}

/**
 * What somebody else answered since the page was opened, of these fields that have another answer:
 * sent again as they are, they would undo it.
 */
function correctedMeanwhile(
  fields: readonly SettingField[],
  changes: readonly RequestChange[],
): FieldErrors {
  const corrected = changes
    .filter(({ kind }) => kind === "settings_corrected")
    .flatMap(({ data }) => (Array.isArray(data.answers) ? data.answers : []));
  const entries = fields
    .filter(({ name }) => corrected.includes(name))
    .map((field) => [field.name, [`This was corrected meanwhile, to: ${inWords(field)}`]]);
  return Object.fromEntries(entries) as FieldErrors;
}

const inWords = ({ kind, value, options }: SettingField): string => {
  if (kind === "boolean") return value === "true" ? "Yes" : "No";
  return options.find((option) => option.value === value)?.label ?? (value || "Left empty");
};

/** The fields that the form had; an unticked box is named beside what it would send. */
function sentFields(form: FormData, fields: readonly SettingField[]): SettingField[] {
  const boxes = new Set(form.getAll("asked"));
  return fields.filter(({ name }) => form.has(name) || boxes.has(name));
}

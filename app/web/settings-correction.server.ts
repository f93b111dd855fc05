import type { ActionFunctionArgs } from "@remix-run/node";
import {
  AnswersNotPossibleError,
  correctSettings,
  readSettings,
  type SettingField,
  seenRequest,
  settingField,
  viewCorrection,
} from "#app/domain/onboarding/index.server.ts";
import type { RequestChange } from "#app/domain/queue/index.server.ts";
import { TURNS_TEXT } from "#app/platform/plain-text.ts";
import type { Actor } from "#db/index.ts";
import { orRefuse, type Refusal } from "./desk-acts.server.ts";
import type { FieldErrors } from "./forms.server.ts";
import { inTx, type StaffVisitor } from "./session.server.ts";

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
  const values = written(form, fields);
  const errors = isAboutAnswers
    ? errorsBeside(fields, error)
    : correctedMeanwhile(
        fields.filter(({ name, value }) => values[name] !== value),
        refusal.changes,
      );
  const isTold = isAboutAnswers && Object.keys(errors).length > 0;
  const answer = { errors, refusal: isTold ? null : refusal, values };
  return { answer, status };
}

function errorsBeside(fields: readonly SettingField[], error: AnswersNotPossibleError) {
  const found = error.problems.map(({ template, parameter, message }) => ({
    field: settingField(template, parameter),
    message,
  }));
  const entries = fields.flatMap(({ name }) => {
    const messages = found.filter(({ field }) => field === name).map(({ message }) => message);
    return messages.length > 0 ? [[name, messages]] : [];
  });
  return Object.fromEntries(entries) as FieldErrors;
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

/** More than the longest answer that a question takes. */
const LONGEST_ECHO = 4_000;
const TURNS_TEXT_ALL = new RegExp(TURNS_TEXT, "g");

/** What was written, without the marks that turn text around. What the form did not have has none. */
function written(form: FormData, fields: readonly SettingField[]): Record<string, string> {
  const boxes = new Set(form.getAll("asked"));
  return Object.fromEntries(
    fields
      .filter(({ name }) => form.has(name) || boxes.has(name))
      .map(({ name, kind }) => {
        const text = String(form.get(name) ?? "").slice(0, LONGEST_ECHO);
        const isUnticked = kind === "boolean" && text === "";
        return [name, isUnticked ? "false" : text.replace(TURNS_TEXT_ALL, "")];
      }),
  );
}

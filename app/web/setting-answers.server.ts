/** What a form of feature settings wrote, and what is wrong with it, both by the names of its fields. */
import {
  type AnswersNotPossibleError,
  type SettingField,
  settingField,
} from "#app/domain/onboarding/index.server.ts";
import { TURNS_TEXT } from "#app/platform/plain-text.ts";
import type { FieldErrors } from "./forms.server.ts";

/** More than the longest answer that a question takes. */
const LONGEST_ECHO = 4_000;
const TURNS_TEXT_ALL = new RegExp(TURNS_TEXT, "g");

/** What was written in these fields, without the marks that turn text around. */
export function echoOf(form: FormData, fields: readonly SettingField[]): Record<string, string> {
  return Object.fromEntries(
    fields.map(({ name, kind }) => {
      const text = String(form.get(name) ?? "").slice(0, LONGEST_ECHO);
      const isUnticked = kind === "boolean" && text === "";
      return [name, isUnticked ? "false" : text.replace(TURNS_TEXT_ALL, "")];
    }),
  );
}

/** What is wrong with these fields. */
export function errorsOf(
  { problems }: AnswersNotPossibleError,
  fields: readonly SettingField[],
): FieldErrors {
  const names = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(
    problems.flatMap(({ template, parameter, message }) => {
      const name = settingField(template, parameter);
      return names.has(name) ? [[name, [message]]] : [];
    }),
  );
}

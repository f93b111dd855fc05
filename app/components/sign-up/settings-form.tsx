import { Form } from "@remix-run/react";
import { type ReactNode, useEffect, useState } from "react";
import type { SettingField, SettingsOfFeature } from "#app/domain/onboarding/index.server.ts";
import type { FieldErrors } from "#app/web/forms.server.ts";
import { SettingFields } from "./setting-fields.tsx";

/** In this question the company says what it counts in. */
const CURRENCY = "base.currency";

/** The questions of features, a group for each; the children are the form's buttons. */
export function SettingsForm(props: {
  features: (SettingsOfFeature & { note?: ReactNode })[];
  values: Record<string, string>;
  errors: FieldErrors;
  /** What amounts of money are in where nothing else is chosen; empty where nobody has said. */
  currency: string;
  children: ReactNode;
}) {
  const { features, values, errors, children } = props;
  const written = values[CURRENCY] ?? props.currency;
  // Without scripts the list could be changed and the word beside the amounts would not.
  const [currency, setCurrency] = useState("");
  useEffect(() => setCurrency(written), [written]);
  return (
    <Form
      method="post"
      noValidate
      onChange={({ target }) => {
        if (target instanceof HTMLSelectElement && target.name === CURRENCY) {
          setCurrency(target.value);
        }
      }}
    >
      {features.map(({ template, title, fields, note }) => (
        <fieldset key={template} className="mb-8">
          <legend className="mb-4 w-full border-b border-base-300 pb-2 text-base font-semibold">
            {title}
          </legend>
          {note ? <p className="mb-4 text-quiet">{note}</p> : null}
          <SettingFields fields={fields} values={values} errors={errors} currency={currency} />
        </fieldset>
      ))}
      {children}
    </Form>
  );
}

/** Which currency these questions stand at; empty where none is about it. */
export const currencyOf = (features: SettingsOfFeature[]): string =>
  fieldsOf(features).find(({ name }) => name === CURRENCY)?.value ?? "";

/** Far from its field a sentence such as "Fill this in." says nothing. */
export function inSummary(features: SettingsOfFeature[], errors: FieldErrors): FieldErrors {
  return Object.fromEntries(
    fieldsOf(features).flatMap(({ name, title }) =>
      (errors[name] ?? []).map((text) => [name, [`${title}: ${text}`]]),
    ),
  );
}

const fieldsOf = (features: SettingsOfFeature[]): SettingField[] =>
  features.flatMap(({ fields }) => fields);

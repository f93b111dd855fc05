import type { SettingField } from "#app/domain/onboarding/index.server.ts";
import type { FieldErrors } from "#app/web/forms.server.ts";
import { Beside, CheckField, Field, SelectField } from "../form.tsx";

/**
 * The questions of one feature, each by its kind. `values`: what was written by who is told what is
 * wrong with it.
 */
export function SettingFields(props: {
  fields: SettingField[];
  values: Record<string, string>;
  errors: FieldErrors;
  /** What amounts of money are in; empty where that is not known. */
  currency?: string;
}) {
  const { fields, values, errors, currency = "" } = props;
  return fields.map((field) => (
    <Setting
      key={field.name}
      field={{ ...field, value: values[field.name] ?? field.value }}
      error={errors[field.name]}
      currency={currency}
    />
  ));
}

function Setting(props: { field: SettingField; error?: string[]; currency: string }) {
  const { field, error, currency } = props;
  const { name, title: label, value, options, min } = field;
  const facts = { name, label, error, hint: hintOf(field) };
  switch (field.kind) {
    case "boolean":
      return (
        <>
          {/* A box that is not ticked sends nothing. */}
          <input type="hidden" name="asked" value={name} />
          <CheckField {...facts} value="true" defaultChecked={value === "true"} />
        </>
      );
    case "radios":
      return <Radios {...facts} value={value} options={options} />;
    case "select": {
      const choose = value === "" ? [{ value: "", label: "Choose one" }] : [];
      return (
        <SelectField {...facts} required defaultValue={value} options={[...choose, ...options]} />
      );
    }
    case "integer":
    case "decimal": {
      // No field of type "number": in some browsers it drops the comma of 12,50 without a word. And
      // the keyboards of numbers have no minus.
      const keyboard = field.kind === "integer" ? "numeric" : "decimal";
      return (
        <Field
          {...facts}
          inputMode={min !== null && min >= 0 ? keyboard : "text"}
          autoComplete="off"
          maxLength={40}
          defaultValue={value}
          className="max-w-48 tabular-nums"
        >
          {field.isMoney && currency !== "" ? (
            <span className="ml-2 text-quiet">{currency}</span>
          ) : null}
        </Field>
      );
    }
    default:
      return (
        <Field
          {...facts}
          maxLength={field.longest ?? undefined}
          autoComplete={field.autoComplete ?? "off"}
          defaultValue={value}
        />
      );
  }
}

const numbers = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 9 });

/** Nobody writes a number this large, or one below nothing, by mistake. */
const FAR = 1_000_000;

/** What a person is told of a field before writing in it. */
function hintOf({ help, min, max: most, isKnown }: SettingField): string | undefined {
  const max = most !== null && most < FAR ? most : null;
  const bounds =
    min !== null && max !== null
      ? `From ${numbers.format(min)} to ${numbers.format(max)}.`
      : min !== null && min !== 0 && min > -FAR
        ? `${numbers.format(min)} or more.`
        : max !== null
          ? `${numbers.format(max)} or less.`
          : null;
  const known = isKnown ? "We took this from step 1." : null;
  return [help, bounds, known].filter(Boolean).join(" ") || undefined;
}

/** One of a few, each on a line of its own. */
function Radios(props: {
  name: string;
  label: string;
  hint?: string;
  error?: string[];
  value: string;
  options: { value: string; label: string }[];
}) {
  const { name, label, hint, error, value, options } = props;
  const described = [error ? `${name}-error` : "", hint ? `${name}-hint` : ""].filter(Boolean);
  return (
    <fieldset
      className={`mb-5 ${error ? "border-l-4 border-error pl-3" : ""}`}
      aria-describedby={described.join(" ") || undefined}
    >
      {/* Of radios of which none is chosen nothing is sent. */}
      <input type="hidden" name="shown" value={name} />
      <legend className="font-semibold">{label}</legend>
      <Beside id={name} hint={hint} error={error} />
      <div className="mt-1.5 grid gap-1">
        {options.map((option, index) => (
          <label key={option.value} className="flex min-h-8 cursor-pointer items-center gap-3">
            <input
              type="radio"
              // The first carries the group's name, so that the summary of errors leads to it.
              id={index === 0 ? name : `${name}-${option.value}`}
              name={name}
              value={option.value}
              defaultChecked={option.value === value}
              className="radio radio-sm shrink-0 border-secondary checked:border-primary checked:text-primary"
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

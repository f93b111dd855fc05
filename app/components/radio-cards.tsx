import type { ReactNode } from "react";
import { Beside, errorsOf } from "./form.tsx";

interface RadioOption {
  value: string;
  title: string;
  description: ReactNode;
  /** At the right, where a price belongs. */
  aside?: ReactNode;
  disabled?: boolean;
  /** Why it cannot be chosen, or what choosing it means. */
  note?: ReactNode;
}

/** One of a few, each with something to say about itself. */
export function RadioCards(props: {
  legend: string;
  name: string;
  options: RadioOption[];
  value?: string;
  error?: string | string[];
}) {
  const { legend, name, options, value, error } = props;
  const isWrong = errorsOf(error).length > 0;
  return (
    <fieldset
      className={`mb-5 ${isWrong ? "border-l-4 border-error pl-3" : ""}`}
      aria-describedby={isWrong ? `${name}-error` : undefined}
    >
      <legend className="mb-1 font-semibold">{legend}</legend>
      <Beside id={name} error={error} />
      <div className="mt-1.5 grid gap-2">
        {options.map((option, index) => (
          <RadioCard
            key={option.value}
            // The first carries the group's name, so that the summary of errors leads to it.
            id={index === 0 ? name : `${name}-${option.value}`}
            name={name}
            option={option}
            checked={option.value === value}
          />
        ))}
      </div>
    </fieldset>
  );
}

function RadioCard(props: { id: string; name: string; option: RadioOption; checked: boolean }) {
  const { id, name, option, checked } = props;
  const { value, title, description, aside, disabled, note } = option;
  return (
    <label
      htmlFor={id}
      className={`flex gap-3 rounded-box border px-4 py-3 has-checked:border-primary has-checked:bg-base-200 ${
        disabled ? "cursor-not-allowed border-base-300" : "cursor-pointer border-secondary"
      }`}
    >
      <input
        type="radio"
        id={id}
        name={name}
        value={value}
        defaultChecked={checked}
        disabled={disabled}
        aria-labelledby={`${id}-title`}
        aria-describedby={`${id}-about`}
        className="radio radio-sm mt-0.5 shrink-0 border-secondary checked:border-primary checked:text-primary"
      />
      <span className="min-w-0 grow">
        <span className="flex flex-wrap items-baseline justify-between gap-x-4">
          <span id={`${id}-title`} className={`font-semibold ${disabled ? "text-quiet" : ""}`}>
            {title}
          </span>
          {aside ? <span className="tabular-nums">{aside}</span> : null}
        </span>
        <span id={`${id}-about`} className="block text-sm">
          <span className="block text-quiet">{description}</span>
          {note ? <span className="mt-1 block font-medium">{note}</span> : null}
        </span>
      </span>
    </label>
  );
}

import { useNavigation } from "@remix-run/react";
import type { LucideIcon } from "lucide-react";
import {
  type ButtonHTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useEffect,
  useId,
  useRef,
} from "react";
import { Button, type ButtonSize, type ButtonVariant } from "./ui.tsx";
import { useAnswer } from "./use-answer.ts";

interface FieldFacts {
  label: string;
  name: string;
  id?: string;
  hint?: ReactNode;
  error?: string | string[];
  /** Said beside the label: everything else is needed. */
  optional?: boolean;
}

const errorsOf = (error: FieldFacts["error"]) =>
  (Array.isArray(error) ? error : [error]).filter((text): text is string => Boolean(text));

/** What a control must carry so that its hint and error are read with it. */
function wiring({ name, id = name, hint, error }: FieldFacts) {
  const isWrong = errorsOf(error).length > 0;
  const ids = [isWrong ? `${id}-error` : "", hint ? `${id}-hint` : ""].filter(Boolean);
  return {
    id,
    name,
    "aria-describedby": ids.length > 0 ? ids.join(" ") : undefined,
    "aria-invalid": isWrong || undefined,
  };
}

const control = (error: FieldFacts["error"]) =>
  `w-full ${errorsOf(error).length > 0 ? "border-error" : "border-secondary"}`;

/** Label, hint, error, control: in this order, so that nothing is below what a person types. */
function FieldFrame(props: FieldFacts & { children: ReactNode }) {
  const { label, name, id = name, hint, error, optional, children } = props;
  const isWrong = errorsOf(error).length > 0;
  return (
    <div className={`mb-5 ${isWrong ? "border-l-4 border-error pl-3" : ""}`}>
      <label htmlFor={id} className="block font-semibold">
        {label}
        {optional ? <span className="font-normal text-quiet"> (optional)</span> : null}
      </label>
      <Beside id={id} hint={hint} error={error} />
      <div className="mt-1.5">{children}</div>
    </div>
  );
}

function Beside({ id, hint, error }: { id: string } & Pick<FieldFacts, "hint" | "error">) {
  const errors = errorsOf(error);
  return (
    <>
      {hint ? (
        <div id={`${id}-hint`} className="text-sm text-quiet">
          {hint}
        </div>
      ) : null}
      {errors.length > 0 ? (
        <div id={`${id}-error`} className="mt-1 font-medium text-error">
          {errors.map((text) => (
            <p key={text}>
              <span className="sr-only">Error: </span>
              {text}
            </p>
          ))}
        </div>
      ) : null}
    </>
  );
}

/** A line of text. `children` stand below the input. */
export function Field({
  label,
  hint,
  error,
  name,
  id,
  optional,
  children,
  className = "",
  ...input
}: FieldFacts & InputHTMLAttributes<HTMLInputElement>) {
  const facts = { label, hint, error, name, id, optional };
  return (
    <FieldFrame {...facts}>
      <input
        type="text"
        className={`input text-base ${control(error)} ${className}`}
        {...wiring(facts)}
        {...input}
      />
      {children}
    </FieldFrame>
  );
}

/** One of several, from a list. */
export function SelectField({
  label,
  hint,
  error,
  name,
  id,
  optional,
  options,
  className = "",
  ...select
}: FieldFacts &
  SelectHTMLAttributes<HTMLSelectElement> & { options: { value: string; label: string }[] }) {
  const facts = { label, hint, error, name, id, optional };
  return (
    <FieldFrame {...facts}>
      <select
        className={`select text-base ${control(error)} ${className}`}
        {...wiring(facts)}
        {...select}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}

/** Several lines of text. */
export function TextareaField({
  label,
  hint,
  error,
  name,
  id,
  optional,
  className = "",
  ...area
}: FieldFacts & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const facts = { label, hint, error, name, id, optional };
  return (
    <FieldFrame {...facts}>
      <textarea
        rows={4}
        className={`textarea text-base ${control(error)} ${className}`}
        {...wiring(facts)}
        {...area}
      />
    </FieldFrame>
  );
}

/** Yes or no. */
export function CheckField({
  label,
  hint,
  error,
  name,
  id = name,
  optional,
  className = "",
  ...input
}: FieldFacts & InputHTMLAttributes<HTMLInputElement>) {
  const facts = { label, hint, error, name, id, optional };
  return (
    <div className={`mb-5 ${errorsOf(error).length > 0 ? "border-l-4 border-error pl-3" : ""}`}>
      <div className="flex min-h-6 items-start gap-3">
        <input
          type="checkbox"
          className={`checkbox shrink-0 border-secondary ${className}`}
          {...wiring(facts)}
          {...input}
        />
        <label htmlFor={id} className="font-semibold">
          {label}
          {optional ? <span className="font-normal text-quiet"> (optional)</span> : null}
        </label>
      </div>
      <div className="pl-9">
        <Beside id={id} hint={hint} error={error} />
      </div>
    </div>
  );
}

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

/** All that is wrong, first thing on the page, each a link to its field. Has the focus on arrival. */
export function ErrorSummary({ errors }: { errors: { id: string; text: string }[] }) {
  const box = useRef<HTMLDivElement>(null);
  const heading = useId();
  // A second answer with the same errors is news, too; a mere re-render is not, nor is fresh data.
  const answer = useAnswer();
  const texts = errors.map(({ text }) => text).join("\n");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer is why this runs
  useEffect(() => {
    if (texts) box.current?.focus();
  }, [answer, texts]);
  if (errors.length === 0) return null;
  return (
    <div
      ref={box}
      role="alert"
      tabIndex={-1}
      aria-labelledby={heading}
      className="mb-6 rounded-box border-2 border-error px-4 py-3"
    >
      <h2 id={heading} className="font-semibold">
        There is a problem
      </h2>
      <ul className="mt-2 grid gap-1">
        {errors.map(({ id, text }) => (
          <li key={`${id} ${text}`}>
            <a href={`#${id}`} className="font-medium text-error underline underline-offset-2">
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/**
 * Submits its form. While the answer is on its way it says so and takes no second press; without
 * scripts it is a plain button. With a `name`, only the form that sends this name and value is meant.
 * For a fetcher's form, say `pending` yourself.
 */
export function SubmitButton({
  children,
  pendingText,
  variant = "primary",
  pending: told,
  name,
  value,
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "value"> & {
  pendingText: string;
  variant?: ButtonVariant;
  size?: ButtonSize;
  icon?: LucideIcon;
  pending?: boolean;
  value?: string;
}) {
  const { formData } = useNavigation();
  const isMine = name === undefined || formData?.getAll(name).includes(value ?? "");
  const pending = told ?? (formData !== undefined && Boolean(isMine));
  return (
    <Button type="submit" variant={variant} name={name} value={value} pending={pending} {...rest}>
      {pending ? pendingText : children}
    </Button>
  );
}

import { useNavigation } from "@remix-run/react";
import type { LucideIcon } from "lucide-react";
import type {
  ButtonHTMLAttributes,
  InputHTMLAttributes,
  ReactNode,
  SelectHTMLAttributes,
  TextareaHTMLAttributes,
} from "react";
import { Button, type ButtonSize, type ButtonVariant } from "./ui.tsx";

interface FieldFacts {
  label: string;
  name: string;
  id?: string;
  hint?: ReactNode;
  error?: string | string[];
  /** Said beside the label: everything else is needed. */
  optional?: boolean;
}

export const errorsOf = (error: FieldFacts["error"]) =>
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

/** What stands between a label and its control: the hint and what is wrong, as `wiring` names them. */
export function Beside({ id, hint, error }: { id: string } & Pick<FieldFacts, "hint" | "error">) {
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
  className = "",
  ...input
}: Omit<FieldFacts, "optional"> & InputHTMLAttributes<HTMLInputElement>) {
  const facts = { label, hint, error, name, id };
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
        </label>
      </div>
      <div className="pl-9">
        <Beside id={id} hint={hint} error={error} />
      </div>
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

import { Eye, EyeOff } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Field } from "./form.tsx";

/**
 * A secret to paste: masked until shown. Not a password field, which browsers offer to keep and to
 * fill with the person's own password.
 */
export function MaskedField(props: {
  name: string;
  label: string;
  hint: ReactNode;
  error: string[];
  /** Whether scripts run; without them there is nothing to show by. */
  canShow: boolean;
}) {
  const { canShow, ...field } = props;
  const [isShown, setShown] = useState(false);
  const Icon = isShown ? EyeOff : Eye;
  return (
    <Field
      {...field}
      {...PASTED}
      className={`font-mono ${isShown ? "" : "[-webkit-text-security:disc]"}`}
    >
      {canShow ? (
        <button
          type="button"
          aria-pressed={isShown}
          aria-controls={field.name}
          className="btn btn-ghost btn-xs mt-1"
          onClick={() => setShown(!isShown)}
        >
          <Icon size={14} aria-hidden="true" />
          Show<span className="sr-only"> {field.label}</span>
        </button>
      ) : null}
    </Field>
  );
}

/** What every field for a pasted value carries: nothing keeps it, corrects it or fills it in. */
export const PASTED = {
  autoComplete: "off",
  autoCapitalize: "none",
  autoCorrect: "off",
  spellCheck: false,
  "data-1p-ignore": true,
  "data-lpignore": "true",
} as const;

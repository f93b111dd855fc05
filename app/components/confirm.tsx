import { type ButtonHTMLAttributes, type ReactNode, useId, useRef } from "react";
import { Button, type ButtonSize, type ButtonVariant } from "./ui.tsx";

/**
 * Asks before it submits the form around it. Without scripts it submits at once, so that the act
 * must be one that the server can refuse.
 * @param children the text of the question: what will happen, and whether it can be undone
 */
export function ConfirmButton({
  label,
  title,
  children,
  confirmLabel,
  keepLabel = "Not now",
  variant = "secondary",
  size,
  name,
  value,
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "title"> & {
  label: string;
  title: string;
  children: ReactNode;
  confirmLabel: string;
  /** The word of the way back; "Not now" could be taken for "later, by itself". */
  keepLabel?: string;
  variant?: ButtonVariant;
  size?: ButtonSize;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  return (
    <>
      <Button
        type="submit"
        variant={variant}
        size={size}
        name={name}
        value={value}
        aria-haspopup="dialog"
        {...rest}
        onClick={(event) => {
          event.preventDefault();
          dialog.current?.showModal();
        }}
      >
        {label}
      </Button>
      <dialog
        ref={dialog}
        aria-labelledby={heading}
        className="m-auto w-[calc(100%-2rem)] max-w-md rounded-box border border-base-300 bg-base-100 p-6 text-left font-normal whitespace-normal text-base-content shadow-xl backdrop:bg-black/40"
      >
        <h2 id={heading} className="text-lg font-semibold">
          {title}
        </h2>
        <div className="mt-2">{children}</div>
        <div className="mt-6 flex flex-wrap justify-end gap-2">
          <Button variant="quiet" onClick={() => dialog.current?.close()}>
            {keepLabel}
          </Button>
          <Button
            type="submit"
            variant={variant === "danger" ? "danger" : "primary"}
            name={name}
            value={value}
            onClick={() => dialog.current?.close()}
          >
            {confirmLabel}
          </Button>
        </div>
      </dialog>
    </>
  );
}

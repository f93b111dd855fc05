import { useLocation } from "@remix-run/react";
import { type ButtonHTMLAttributes, type ReactNode, useId, useRef } from "react";
import { Button, ButtonLink, type ButtonSize, type ButtonVariant } from "./ui.tsx";

/**
 * Asks before it submits the form around it; only the answer sends `confirmed`. Without scripts, or
 * before they are loaded, the button submits at once: the action must then answer with `askFirst`,
 * which leads to this page again with the question open.
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
  question = value,
  ...rest
}: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "title" | "name" | "value"> & {
  label: string;
  title: string;
  children: ReactNode;
  confirmLabel: string;
  /** The word of the way back; "Not now" could be taken for "later, by itself". */
  keepLabel?: string;
  variant?: ButtonVariant;
  size?: ButtonSize;
  name: string;
  value: string;
  /** What the action gives to `askFirst`, where the value alone would not tell it from others of the page. */
  question?: string;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const { pathname, search } = useLocation();
  const params = new URLSearchParams(search);
  const isAsked = params.get("confirm") === question;
  params.delete("confirm");
  const others = params.toString();
  const unasked = others === "" ? pathname : `${pathname}?${others}`;
  return (
    <>
      <input type="hidden" name={name} value={value} />
      {isAsked ? null : (
        <Button
          type="submit"
          variant={variant}
          size={size}
          aria-haspopup="dialog"
          {...rest}
          onClick={(event) => {
            event.preventDefault();
            dialog.current?.showModal();
          }}
        >
          {label}
        </Button>
      )}
      <dialog
        ref={dialog}
        aria-labelledby={heading}
        className={`${isAsked ? "static" : "m-auto shadow-xl"} w-[calc(100%-2rem)] max-w-md rounded-box border border-base-300 bg-base-100 p-6 text-left font-normal wrap-anywhere whitespace-normal text-base-content backdrop:bg-black/40`}
        {...(isAsked ? { open: true, id: "question", tabIndex: -1 } : {})}
      >
        <h2 id={heading} className="text-lg font-semibold">
          {title}
        </h2>
        <div className="mt-2">{children}</div>
        <div className="mt-6 flex flex-wrap justify-end gap-2">
          {isAsked ? (
            <ButtonLink to={unasked} variant="quiet">
              {keepLabel}
            </ButtonLink>
          ) : (
            <Button variant="quiet" onClick={() => dialog.current?.close()}>
              {keepLabel}
            </Button>
          )}
          <Button
            type="submit"
            variant={variant === "danger" ? "danger" : "primary"}
            name="confirmed"
            value="1"
            {...(isAsked ? { formAction: unasked } : { onClick: () => dialog.current?.close() })}
          >
            {confirmLabel}
          </Button>
        </div>
      </dialog>
    </>
  );
}

import { useLocation, useSearchParams } from "@remix-run/react";
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useId, useRef } from "react";
import { SubmitButton } from "./form.tsx";
import { Notice } from "./notice.tsx";
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
  const answer = { variant: variant === "danger" ? "danger" : "primary", value: "1" } as const;
  // The button that was pressed is gone.
  useEffect(() => {
    if (isAsked) dialog.current?.focus();
  }, [isAsked]);
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
            ignoreSecondClick();
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
            <>
              <ButtonLink to={unasked} variant="quiet">
                {keepLabel}
              </ButtonLink>
              <SubmitButton
                {...answer}
                name="confirmed"
                formAction={unasked}
                pendingText="One moment …"
              >
                {confirmLabel}
              </SubmitButton>
            </>
          ) : (
            <>
              <Button variant="quiet" onClick={() => dialog.current?.close()}>
                {keepLabel}
              </Button>
              <Button
                {...answer}
                type="submit"
                name="confirmed"
                onClick={() => {
                  ignoreSecondClick();
                  dialog.current?.close();
                }}
              >
                {confirmLabel}
              </Button>
            </>
          )}
        </div>
      </dialog>
    </>
  );
}

/** Within how many milliseconds a second click belongs to the first. */
const DOUBLE_CLICK_MS = 600;

/** What opens or closes under the pointer must not take the second click of a double click. */
function ignoreSecondClick(): void {
  const ignore = (event: MouseEvent) => {
    if (event.detail < 2) return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("click", ignore, true);
  setTimeout(() => document.removeEventListener("click", ignore, true), DOUBLE_CLICK_MS);
}

/**
 * Says so where the address asks what the page no longer offers: somebody was quicker, and a press
 * without scripts would be answered by nothing.
 * @param offered the questions of the page's `ConfirmButton`s
 */
export function LapsedQuestion({ offered }: { offered: readonly string[] }) {
  const [search] = useSearchParams();
  const question = search.get("confirm");
  if (question === null || offered.includes(question)) return null;
  return (
    <div id="question" tabIndex={-1} className="rounded-box">
      <Notice tone="warning" title="This is no longer possible" live>
        <p>Nothing was done just now. The page shows how things stand.</p>
      </Notice>
    </div>
  );
}

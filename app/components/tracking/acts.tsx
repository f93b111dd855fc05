import { Form } from "@remix-run/react";
import { ConfirmButton } from "../confirm.tsx";
import { ButtonLink } from "../ui.tsx";
import type { TrackingOnPage } from "./tracking-on-page.ts";
import { TO_MEND } from "./tracking-words.ts";

/** What the customer can do now; there is always a word. */
export function Acts({ tracking }: { tracking: TrackingOnPage }) {
  const { status, email, askedAt, toMend } = tracking;
  const mail = <b className="font-medium wrap-anywhere">{email}</b>;
  switch (status) {
    case "pending":
      return (
        <Form method="post" className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <p className="max-w-120">
            You have nothing to do. As long as nobody has begun, you can cancel: nothing is built,
            and credentials that you gave us are destroyed.
          </p>
          <ConfirmButton
            label="Cancel the request"
            title="Cancel this request?"
            confirmLabel="Cancel the request"
            variant="danger"
            name="intent"
            value="cancel"
          >
            It leaves the queue and loses its place. This cannot be undone; you can begin a new one
            at any time.
          </ConfirmButton>
        </Form>
      );
    case "waiting_on_customer":
      return (
        <div className="grid max-w-160 gap-2">
          {toMend.length > 0 ? (
            <ul className="list-disc pl-5">
              {toMend.map((name) => (
                <li key={name}>{TO_MEND[name]}</li>
              ))}
            </ul>
          ) : null}
          <p>
            Mend it at Supabase, then answer our mail to {mail}
            {askedAt ? `, written ${askedAt}` : ""}; we test it again. Send no passwords or keys by
            mail.
          </p>
        </div>
      );
    case "completed":
    case "cancelled":
      return (
        <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
          <p className="max-w-120">
            {status === "completed"
              ? "Questions, or something does not work? Answer any of our mails."
              : "If you did not want this, or have changed your mind, begin a new request."}
          </p>
          <ButtonLink to="/sign-up">Request another backend</ButtonLink>
        </div>
      );
    default:
      return (
        <p className="max-w-160">
          You have nothing to do. If something has changed on your side, answer one of our mails to{" "}
          {mail}.
        </p>
      );
  }
}

import { useNavigation } from "@remix-run/react";
import { useEffect, useRef } from "react";
import { ConfirmButton } from "../confirm.tsx";
import { SubmitButton, TextareaField } from "../form.tsx";
import { PRIORITY_CHOICES } from "../status.tsx";
import { useAnswer } from "../use-answer.ts";
import { ActForm } from "./act-form.tsx";
import type { RequestOnPage } from "./request-on-page.ts";
import { StayList } from "./stay-list.tsx";

/** What this person may do besides the next act, each after a question. */
export function weightyActs(request: RequestOnPage): ("release" | "cancel")[] {
  const { status, standing, canCancel } = request;
  if (standing === "held" || standing === "expired") return [];
  return [
    ...(status === "in_progress" ? (["release"] as const) : []),
    ...(canCancel ? (["cancel"] as const) : []),
  ];
}

/** What one may do besides the next act: give back, cancel. Nothing that this person may not. */
export function RequestActs({ request }: { request: RequestOnPage }) {
  const { seen, backend, customer, stays } = request;
  const acts = weightyActs(request);
  // Cancelling is done already, of its run: what is left is to close it.
  const word = request.failure?.code === "run_cancelled" ? "Close" : "Cancel";
  return (
    <>
      {acts.includes("release") ? (
        <ActForm seen={seen}>
          <ConfirmButton
            label="Give back"
            title={`Give ${customer.company} back to the queue?`}
            confirmLabel="Give it back"
            variant="quiet"
            size="sm"
            name="intent"
            value="release"
          >
            <p>
              It returns to its old place, and anybody can claim it. The clock goes on running. A
              project that was made at Supabase stays there: leave a note about it.
            </p>
          </ConfirmButton>
        </ActForm>
      ) : null}
      {acts.includes("cancel") ? (
        <ActForm seen={seen}>
          <ConfirmButton
            label={`${word} the request`}
            title={`${word} the request of ${customer.company}?`}
            confirmLabel={`${word} the request`}
            keepLabel="Keep it"
            variant="danger"
            size="sm"
            className="border-transparent"
            name="intent"
            value="cancel"
          >
            <p>
              This cannot be undone.{" "}
              {backend
                ? `Berth lets go of the project ${backend.projectRef} and destroys its sealed credentials.`
                : "There are no credentials yet, so nothing is destroyed."}{" "}
              The customer would have to make a new request.
            </p>
            {stays && stays.length > 0 ? (
              <>
                <p className="mt-2 mb-1">What was built stays in the project:</p>
                <StayList stays={stays} />
              </>
            ) : null}
          </ConfirmButton>
        </ActForm>
      ) : null}
    </>
  );
}

/** A supervisor's decision: another priority, and so another promise. */
export function PriorityForm({ request }: { request: RequestOnPage }) {
  const { seen, priority } = request;
  return (
    <ActForm seen={seen} className="mt-3 flex flex-wrap items-end gap-2">
      <input type="hidden" name="intent" value="priority" />
      <label className="grid gap-1">
        <span className="text-quiet">Change the priority</span>
        <select
          key={priority}
          name="priority"
          defaultValue={priority}
          className="select select-sm w-32 border-secondary"
        >
          {PRIORITY_CHOICES.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <SubmitButton
        variant="secondary"
        size="sm"
        name="change"
        value="priority"
        pendingText="Changing …"
      >
        Change
      </SubmitButton>
    </ActForm>
  );
}

/** A note for the staff; empty again once it stands on the timeline. */
export function NoteForm(props: {
  seen: RequestOnPage["seen"];
  error?: string | undefined;
  longest: number;
}) {
  const { seen, error, longest } = props;
  const box = useRef<HTMLDivElement>(null);
  const { state, formData } = useNavigation();
  const refused = useAnswer();
  const isSending = useRef(false);
  useEffect(() => {
    if (formData?.get("intent") === "note") isSending.current = true;
    if (state !== "idle" || !isSending.current) return;
    isSending.current = false;
    const area = box.current?.querySelector("textarea");
    if (area && refused === undefined) area.value = "";
  }, [state, formData, refused]);
  return (
    <ActForm seen={seen}>
      <div ref={box} className="[&>div]:mb-2">
        <TextareaField
          label="Add a note"
          name="text"
          id="note"
          hint="For the staff only. No passwords, no keys."
          rows={2}
          required
          maxLength={longest}
          error={error}
          className="text-sm"
        />
      </div>
      <SubmitButton variant="secondary" size="sm" name="intent" value="note" pendingText="Adding …">
        Add the note
      </SubmitButton>
    </ActForm>
  );
}

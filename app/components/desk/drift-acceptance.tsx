import { Check } from "lucide-react";
import type { AcceptedDrift } from "#app/domain/provisioning/index.server.ts";
import type { Seen } from "#app/domain/queue/index.server.ts";
import { SubmitButton, TextareaField } from "../form.tsx";
import { RelativeTime } from "../time.tsx";
import { ActForm } from "./act-form.tsx";

/** Who accepted a difference, when and why; or the form to accept it; or who may. */
export function DriftAcceptance(props: {
  seen: Seen;
  digest: string;
  accepted: AcceptedDrift | null;
  isSupervisor: boolean;
  /** What was wrong with the reason, and the reason as it was written. */
  refused: { text: string; reason: string } | null;
}) {
  const { seen, digest, accepted, isSupervisor, refused } = props;
  if (accepted) return <Accepted {...accepted} />;
  if (!isSupervisor) {
    return (
      <p className="max-w-160 basis-full text-quiet">
        Only a supervisor may accept it. Any supervisor of the desk can do so on this page: send
        them its address.
      </p>
    );
  }
  return (
    <ActForm seen={seen} className="basis-full [&>*]:max-w-160">
      <input type="hidden" name="digest" value={digest} />
      <TextareaField
        label="Why it may stay"
        name="reason"
        hint="It is accepted for exactly this list; one more difference stops the run again. What you write is kept with your name in the audit record. No passwords, no keys."
        rows={3}
        required
        defaultValue={refused?.reason}
        error={refused?.text}
        className="text-sm"
      />
      <SubmitButton name="intent" value="accept-drift" icon={Check} pendingText="Accepting …">
        Accept this difference
      </SubmitButton>
    </ActForm>
  );
}

function Accepted({ by, at, reason }: AcceptedDrift) {
  return (
    <div className="basis-full [&>*]:max-w-160">
      <p className="flex flex-wrap items-center gap-x-1.5 font-medium text-success">
        <Check size={16} aria-hidden="true" />
        <span>
          Accepted by {by}, <RelativeTime at={at} />
        </span>
      </p>
      <p className="mt-1 border-l-2 border-base-300 pl-3 whitespace-pre-wrap wrap-anywhere">
        {reason}
      </p>
    </div>
  );
}

import type { RequestChange } from "#app/domain/queue/index.server.ts";
import { priorityWord } from "../status.tsx";

/** An event in the desk's words. `details` are folded; `text` is a person's own. */
export interface EventWords {
  title: string;
  who: string;
  details: [label: string, value: string][];
  text?: string;
}

const TITLES: Record<string, string> = {
  received: "Request received",
  claimed: "Claimed",
  released: "Given back to the queue",
  claim_expired: "The claim ended by itself",
  credentials_problem: "The customer was asked to mend its project",
  resumed: "Taken up again",
  settings_corrected: "Settings corrected",
  credentials_submitted: "Credentials submitted",
  run_started: "Run started",
  failed: "Run failed",
  needs_person: "The run needs a person",
  run_cancelled: "Run cancelled",
  drift_accepted: "Difference accepted",
  retried: "Run again",
  completed: "Backend ready",
  owner_link_sent: "A new owner's link was sent",
  owner_link_used: "The owner opened the link",
  cancelled: "Cancelled",
  priority_changed: "Priority changed",
};

const LABELS: Record<string, string> = {
  plan: "Plan",
  features: "Features",
  answers: "Questions",
  assigneeId: "Held by",
  note: "Note",
  failed: "Lines that failed",
  backendId: "Backend",
  generation: "Generation of the credentials",
  runId: "Run",
  step: "Step",
  code: "Code",
  projectRef: "Project",
  stays: "What stays in it",
  from: "From",
  to: "To",
};

/** Facts that the title says already, or that only machines read. */
const UNSAID = new Set(["leaseToken", "reason", "by"]);

/** Who did it: a person by name, the machinery as Berth. */
export function whoOf({ kind, actor, data }: RequestChange): string {
  // A worker ends the run, because a person asked for it.
  if (kind === "run_cancelled" && typeof data.by === "string") return data.by;
  // Nobody is signed in there: the link alone speaks.
  if (kind === "owner_link_used") return "The owner";
  if (actor.kind === "worker") return "Berth";
  if (actor.kind === "customer") return actor.name ? `${actor.name}, the customer` : "The customer";
  const name = actor.name ?? "Somebody who is no longer here";
  return actor.kind === "api" ? `${name} (API)` : name;
}

/** What an event says to the staff. `nameOf` knows people by the ids of their accounts. */
export function sayEvent(
  event: RequestChange,
  nameOf: (accountId: string) => string | undefined = () => undefined,
): EventWords {
  const { kind, data } = event;
  const said = { who: whoOf(event) };
  if (kind === "note")
    return { ...said, title: "Note", details: [], text: String(data.text ?? "") };
  const reason = typeof data.reason === "string" ? { text: data.reason } : {};
  const title = TITLES[kind] ?? kind.replaceAll("_", " ");
  const step = typeof data.step === "string" ? ` at “${data.step}”` : "";
  const change =
    kind === "priority_changed"
      ? ` from ${priorityWord(String(data.from))} to ${priorityWord(String(data.to))}`
      : "";
  const details = Object.entries(data)
    .filter(([name, value]) => !UNSAID.has(name) && value !== null && value !== undefined)
    .filter(([name]) => !(change && (name === "from" || name === "to")))
    // Whoever claims is the one who holds it.
    .filter(([name]) => !(kind === "claimed" && name === "assigneeId"))
    .map(([name, value]): [string, string] => {
      const text = Array.isArray(value) ? value.join(", ") : String(value);
      return [LABELS[name] ?? name, name === "assigneeId" ? (nameOf(text) ?? text) : text];
    });
  return { ...said, title: `${title}${step}${change}`, details, ...reason };
}

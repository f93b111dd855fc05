import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleX,
  Clock,
  Hand,
  LoaderCircle,
  type LucideIcon,
} from "lucide-react";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import type { StepError } from "#db/provisioning.ts";
import type { Tone } from "../ui.tsx";

interface Look {
  word: string;
  icon: LucideIcon;
}

export const RUN_LOOKS: Record<RunReport["status"], Look & { tone: Tone }> = {
  queued: { word: "Waiting for a worker", icon: Clock, tone: "neutral" },
  running: { word: "Running", icon: LoaderCircle, tone: "primary" },
  succeeded: { word: "Done", icon: CircleCheck, tone: "success" },
  failed: { word: "Failed", icon: CircleX, tone: "error" },
  needs_person: { word: "Needs a person", icon: Hand, tone: "warning" },
  cancelled: { word: "Cancelled", icon: Ban, tone: "neutral" },
};

/** How a run looks now; one whose end was asked for is on its way there. */
export const lookOf = ({ status, cancelRequested }: RunReport): Look & { tone: Tone } => {
  const isOpen = status === "queued" || status === "running";
  return isOpen && cancelRequested
    ? { word: "Cancelling …", icon: LoaderCircle, tone: "warning" }
    : RUN_LOOKS[status];
};

export const STEP_LOOKS: Record<StepReport["status"], Look & { ink: string; fill: string }> = {
  pending: { word: "Waiting", icon: CircleDashed, ink: "text-quiet", fill: "" },
  running: {
    word: "Running",
    icon: LoaderCircle,
    ink: "text-primary",
    fill: "fill-primary motion-safe:animate-pulse",
  },
  done: { word: "Done", icon: CircleCheck, ink: "text-success", fill: "fill-success" },
  failed: { word: "Failed", icon: CircleX, ink: "text-error", fill: "fill-error" },
  needs_person: {
    word: "Needs a person",
    icon: Hand,
    ink: "text-warning",
    fill: "fill-warning",
  },
};

const count = (number: unknown, one: string, more: string) =>
  `${String(number)} ${number === 1 ? one : more}`;

const OUTCOMES: Record<string, string> = {
  applied: "Applied",
  already_applied: "Was applied already",
  configured: "Sign-up closed, e-mail on",
  already_configured: "Was set already",
  created: "Created",
  updated: "Changed to what the template says",
  already_there: "Was there already",
  nothing_asked: "Nothing asked for",
  kept_other: "Left as it is: accepted although it differs",
  prepared: "Ledger prepared",
  unfinished: "Stopped half-way; the next run clears up",
  unknown: "Nobody could find out whether it took effect",
};

/** The server's own words for a failure: its file and its SQLSTATE stand in lines of their own. */
export function headlineOf({ message, file, sqlstate }: StepError): string {
  const begin = message.indexOf("): ");
  if (file === undefined || !message.startsWith(`${file}:`) || begin < 0) return message;
  const words = message.slice(begin + 3);
  const code = ` [${sqlstate}]`;
  return words.endsWith(code) ? words.slice(0, -code.length) : words;
}

/** The run with its advice as it is once somebody has accepted the difference that stopped it. */
export function withAcceptance<Run extends { steps: { error: StepError | null }[] }>(
  run: Run,
  digest: string,
): Run {
  const fix = "Retry: the difference is accepted.";
  const steps = run.steps.map((step) =>
    step.error?.digest === digest ? { ...step, error: { ...step.error, fix } } : step,
  );
  return { ...run, steps };
}

/** What could not be held against the ledger, and why; what that leaves open; what can be done. */
export interface Uncompared {
  found: string;
  /** Absent where an earlier version of Berth did not write down how much was compared. */
  means: string | undefined;
  toDo: string;
}

const TO_BE_SURE =
  "To be sure, ask the customer what was changed by hand. The next run compares again, and in full once the reason is gone.";

/** What a comparison with the ledger left out; null where it left out nothing, or was not needed. */
export function uncompared({ outcome }: Pick<StepReport, "outcome">): Uncompared | null {
  const { drift, driftUncompared: reason, driftPartial } = outcome ?? {};
  const goesOn =
    drift === "accepted"
      ? "Nothing for this run: a supervisor accepted it as it is."
      : "Nothing for this run: it goes on.";
  const toDo = `${goesOn} ${TO_BE_SURE}`;
  if (typeof reason === "string" && typeof driftPartial === "boolean") {
    return driftPartial
      ? {
          found: `the catalog was compared without ${reason}`,
          means:
            "Nobody knows whether what these versions made was changed by hand. All else was compared.",
          toDo,
        }
      : {
          found: `the catalog was not compared: ${reason}`,
          means:
            "Nobody knows whether the database was changed by hand. Only its versions and their checksums were compared.",
          toDo,
        };
  }
  const found = foundEarlier(drift, reason);
  return found === null ? null : { found, means: undefined, toDo };
}

/** The same, as earlier versions of Berth wrote it down: in words. */
function foundEarlier(drift: unknown, line: unknown): string | null {
  if (typeof line === "string") return line;
  return typeof drift === "string" && drift.startsWith("not compared: ")
    ? `the catalog was ${drift}`
    : null;
}

/** What a step did, in a few words; empty where it has done nothing yet. */
export function outcomeWords({ outcome }: Pick<StepReport, "outcome">): string {
  if (!outcome) return "";
  const { outcome: kind, statements, settings, checks, notices, drift } = outcome;
  const parts: string[] = [];
  if (kind === "applied" && typeof statements === "number") {
    parts.push(`${count(statements, "statement", "statements")} applied`);
  } else if (kind === "configured" && Array.isArray(settings)) {
    parts.push(settings.join(", ").replace(/^./, (first) => first.toUpperCase()));
  } else if (typeof kind === "string") parts.push(OUTCOMES[kind] ?? kind.replaceAll("_", " "));
  if (checks !== undefined) parts.push(count(checks, "check holds", "checks hold"));
  if (drift === "accepted") parts.push("difference accepted");
  if (uncompared({ outcome })) parts.push("catalog not compared in full");
  if (Array.isArray(notices)) parts.push(count(notices.length, "notice", "notices"));
  return parts.join(", ");
}

/** How far it is. What earlier runs left behind is not lost: this one finds it. */
function placeOf({ doneBefore, steps }: RunReport): string {
  const done = steps.filter((step) => step.status === "done").length;
  if (doneBefore === 0) return `${done} of ${steps.length} steps done.`;
  const there = done + doneBefore;
  const are = there === 1 ? "is" : "are";
  return `${there} of ${steps.length} steps ${are} in the project already.`;
}

/** What becomes of the step in progress when its run is cancelled: by what it works through. */
function endingWords(step: StepReport | undefined): string {
  if (!step) return "";
  const isSql = step.kind === "sql" || step.kind === "seed";
  return isSql && step.effects?.transactional !== false
    ? ` “${step.name}” is rolled back.`
    : ` Berth finds out whether “${step.name}” took effect.`;
}

/** Where the run stands and what comes next, in a sentence or two. */
export function runSentence(run: RunReport, isNewest: boolean): string {
  const { status, steps, inHand } = run;
  const next = steps.find((step) => step.status === "pending");
  const current = steps.find((step) => step.status === "running");
  const place = placeOf(run);
  const { cancelRequested } = run;
  if (cancelRequested && (status === "queued" || status === "running")) {
    return `${place} ${cancelRequested.by} asked to cancel it.${endingWords(current)}`;
  }
  if (status === "queued")
    return `A worker takes it within seconds. First: ${next?.name}.${run.doneBefore > 0 ? ` ${place}` : ""}`;
  if (status === "running") {
    if (!inHand) return `${place} Its worker was lost; another one takes it over within seconds.`;
    const now = current ? ` Now: ${current.name}.` : "";
    return `${place}${now}${next ? ` Next: ${next.name}.` : ""}`;
  }
  if (status === "succeeded") {
    return `All ${steps.length} steps are done. The backend is ready, and the customer has a mail with its link.`;
  }
  if (!isNewest) return `${place} A newer run has followed.`;
  if (status === "cancelled") {
    return run.error?.message ?? place;
  }
  if (status === "needs_person") {
    return `${place} The rest is for a person: do what it says, then retry.`;
  }
  if (status === "failed") return `${place} What is done stays done: a retry goes on from there.`;
  return place;
}

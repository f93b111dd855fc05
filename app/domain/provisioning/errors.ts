import { redactServerText, ScriptFailure } from "#app/integrations/postgres/script.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { ConnectionTest } from "../backends/index.server.ts";
import type { RequestStatus } from "../queue/index.server.ts";
import type { RunPlan } from "./plan.ts";

/** The credentials do not hold; the report says line by line what is wrong. */
export class CredentialsRefusedError extends BerthError {
  readonly report: ConnectionTest;
  constructor(report: ConnectionTest) {
    super("credentials_refused", "These credentials cannot be used as they are.", {
      fix: "Mend the lines that failed, then try again.",
    });
    this.report = report;
  }
}

/** There is nothing to take up: the customer gave no credentials of its own. */
export class CredentialsMissingError extends BerthError {
  constructor() {
    super("credentials_missing", "This request has no credentials yet.", {
      fix: "Send the project's URL, both keys and the database URL.",
    });
  }
}

/** A run is started by who has seen what it will do; this is what there is to see. */
export class PlanNotSeenError extends BerthError {
  readonly plan: RunPlan;
  /** The test of the connection, whose lines all hold. */
  readonly report: ConnectionTest;
  constructor(plan: RunPlan, report: ConnectionTest) {
    super("plan_not_seen", "Nothing was started: look at what the run will do first.", {
      fix: "Read the plan, and start it.",
    });
    this.plan = plan;
    this.report = report;
  }
}

/** Differences told of one plan; the others are counted. */
const MOST_CHANGES = 20;

/** The plan is not the one that was agreed to. */
export class PlanChangedError extends BerthError {
  /** Before a run: the plan as it is now, and the test of the connection, whose lines all hold. */
  readonly now: { plan: RunPlan; report: ConnectionTest } | null;
  constructor(changes: readonly string[], now: PlanChangedError["now"] = null) {
    const told = changes.slice(0, MOST_CHANGES).join("; ");
    const more = changes.length - MOST_CHANGES;
    super("plan_changed", "The run would not be the one that was planned, so nothing was begun.", {
      found: more > 0 ? `${told}; and ${more} more` : told,
      needed: "the templates and the database's ledger as they were when the plan was made",
      fix: now
        ? "Look at the plan as it is now, and start that one."
        : "Look at the plan again, and retry.",
    });
    this.now = now;
  }
}

/** The credentials hold, but the database could not be looked at for a plan. */
export class PlanUnavailableError extends BerthError {
  constructor(cause: unknown) {
    const known = cause instanceof BerthError ? cause : null;
    const refusal = cause instanceof ScriptFailure ? cause : null;
    const said =
      refusal &&
      `SQLSTATE ${refusal.sqlstate}: ${redactServerText(refusal.message, refusal.sqlstate)}`;
    super("plan_unavailable", "The database could not be looked at, so there is no plan.", {
      found: known?.found ?? known?.message ?? said ?? "it did not answer Berth's questions",
      needed: "a connection that lasts for one query, and a ledger that its role may read",
      fix: known?.fix ?? "Try again in a moment.",
      retryable: true,
      cause,
    });
  }
}

/** A customer may take back what nobody has begun; now somebody has. */
export class TooLateToCancelError extends BerthError {
  constructor(status: RequestStatus) {
    super(
      "request_begun",
      status === "completed"
        ? "Your backend is ready, so there is nothing left to cancel."
        : "One of us has begun to work on your request, so it can no longer be cancelled here.",
      { fix: "If you do not want it any more, answer one of our mails and say so." },
    );
  }
}

/** The run changed hands while this worker was at it: it must not write another word about it. */
export class LeaseLostError extends BerthError {
  constructor() {
    super("lease_lost", "Another worker has taken over this run.");
  }
}

/** What a machine may not do here: says what was found, what is needed, and where a person does it. */
export class NeedsPersonError extends BerthError {
  readonly link: string;
  constructor(facts: {
    message: string;
    found: string;
    needed: string;
    fix: string;
    link: string;
  }) {
    super("needs_person", facts.message, facts);
    this.link = facts.link;
  }

  /** The same for a failure, with the page on which a person mends it. */
  static of({ message, found = "", needed = "", fix = "" }: BerthError, link: string) {
    return new NeedsPersonError({ message, found, needed, fix, link });
  }
}

/** Worker after worker took this run and lost it. */
export class TooManyTakeoversError extends BerthError {
  constructor(takeovers: number) {
    super("run_too_many_takeovers", "Every worker that took this run was lost on it.", {
      found: `${takeovers} take-overs`,
      needed: "a worker that lives through the run",
      fix: "Look at the workers' logs under this run's id for what ends them, then retry.",
    });
  }
}

/** The fence in the customer's database is ahead of every token that this Berth has given out. */
export class FenceAheadError extends BerthError {
  constructor(cause: BerthError) {
    super("fence_ahead", "The database was last worked on by another Berth, or by a later one.", {
      found: cause.found,
      needed: cause.needed,
      fix: "Make sure that no other Berth works on this project. If Berth's own database was restored from a backup, raise its sequence fencing_tokens above the token in berth.fence, then retry.",
      cause,
    });
  }
}

/** A step's own check of its work failed. */
export class CheckFailedError extends BerthError {
  constructor(
    code: string,
    failed: { name: string; found: string; needed: string; fix: string }[],
    retryable = false,
  ) {
    const [first] = failed;
    const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
    const all = (what: "needed" | "fix", between: string) =>
      [...new Set(failed.map((one) => one[what]))].join(between);
    super(code, `${first ? `${first.name}: ${first.found}` : "A check does not hold"}${more}.`, {
      found: failed.map((one) => `${one.name}: ${one.found}`).join("; "),
      needed: all("needed", "; "),
      fix: all("fix", " "),
      retryable,
    });
  }
}

import type { DeskRequest } from "#app/domain/provisioning/index.server.ts";

export type StepName = "claim" | "create" | "paste" | "test" | "submit" | "watch" | "done";

/**
 * `next` is the one act that the work waits for; `blocked` the same where it is not this person's.
 * `skipped` steps are not needed this time; `unreached` ones were not when the request was closed.
 */
export type StepState = "done" | "next" | "blocked" | "later" | "skipped" | "unreached";

export interface ChecklistStep {
  name: StepName;
  title: string;
  state: StepState;
}

type Facts = Pick<DeskRequest, "status" | "standing"> & {
  /** The customer gave a project of its own, and it was not taken up yet. */
  isOffered: boolean;
  /** Kinds of what happened to the request: how far one that was closed had come. */
  happened?: readonly string[];
  /** A person ended the run; nothing is broken. */
  isRunCancelled?: boolean;
};

const TITLES: Record<StepName, string> = {
  claim: "Claim the request",
  create: "Create the project at Supabase",
  paste: "Paste its credentials",
  test: "Test the connection",
  submit: "Read the plan, and start the run",
  watch: "Watch the run",
  done: "Done",
};

const NAMES = Object.keys(TITLES) as StepName[];

function testTitle({ status, isOffered }: Facts): string {
  if (status === "waiting_on_customer") return "Wait for the customer";
  return isOffered ? "Test and take up the customer’s project" : TITLES.test;
}

function titleOf(name: StepName, facts: Facts): string {
  if (name === "test") return testTitle(facts);
  if (name !== "watch" || facts.status !== "failed") return TITLES[name];
  return facts.isRunCancelled ? "Resume the run, or close the request" : "Mend the run";
}

/** Where the work stands: the index of the step that is next. */
function nextOf({ status, standing, isOffered }: Facts): StepName | null {
  if (status === "pending" || standing === "expired") return "claim";
  // What the customer is asked to mend came out of a test.
  if (status === "waiting_on_customer") return "test";
  if (status === "in_progress") return isOffered ? "test" : "create";
  if (status === "cancelled") return null;
  return status === "completed" ? "done" : "watch";
}

/** The first step that a request which was closed had not done. */
function stoppedAt(happened: readonly string[] = []): StepName {
  if (happened.includes("credentials_submitted")) return "watch";
  return happened.includes("claimed") ? "create" : "claim";
}

/** The whole work on a request, from the claim to the end, and how far it is. */
export function checklistOf(facts: Facts): ChecklistStep[] {
  const next = nextOf(facts);
  const at = NAMES.indexOf(next ?? stoppedAt(facts.happened));
  return NAMES.map((name, index) => {
    const title = titleOf(name, facts);
    return { name, title, state: stateOf(name, index) };
  });

  function stateOf(name: StepName, index: number): StepState {
    if (next === null) return index < at ? "done" : "unreached";
    if (facts.isOffered && (name === "create" || name === "paste")) return "skipped";
    if (index < at) return "done";
    if (index > at) return "later";
    if (name === "done") return "done";
    return facts.standing === "held" ? "blocked" : "next";
  }
}

import { and, asc, eq, gt } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import type { Tx } from "#db/index.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import type { RequestRow } from "../queue/index.server.ts";
import { bucketNameOf } from "./project-buckets.ts";
import type { Step } from "./runs.ts";

/**
 * What Berth's runs built in one of a customer's projects, and what therefore stays there when the request is
 * closed: Berth takes nothing back. By Berth's record of steps, which follows the database's ledger.
 */
export interface WhatStays {
  projectRef: string;
  /** Versions of the ledger, in the order of the plan. */
  applied: { version: string; template: string; file: string }[];
  seeds: { template: string; file: string }[];
  /** The account that belongs to the customer. */
  ownerAccount: boolean;
  /** Names of buckets in the project's Storage. */
  buckets: string[];
  /** Auth has the settings that the templates ask for. */
  authSettings: boolean;
  /** The schemas `berth` and `supabase_migrations`, with the record of what was applied. */
  ledger: boolean;
  /** Files that were stopped half-way: each may have left an index that is not valid. */
  unfinished: string[];
  /** Steps of which nobody could find out whether they took effect. */
  unknown: string[];
}

/**
 * What stays of a failed or cancelled request in every project that a run of it worked on, those
 * given up for other credentials too, in the order of their first runs: shown before it is closed, and
 * afterwards. Empty where nothing stays; null for a request that goes on, of which nothing is said.
 */
export async function staysOf(
  tx: Tx,
  { id: requestId, status }: Pick<RequestRow, "id" | "status">,
): Promise<WhatStays[] | null> {
  if (status !== "failed" && status !== "cancelled") return null;
  const begun = await tx
    .select({
      projectRef: customerBackends.projectRef,
      ownerUserId: customerBackends.ownerUserId,
      step: provisioningSteps,
    })
    .from(provisioningSteps)
    .innerJoin(provisioningRuns, eq(provisioningRuns.id, provisioningSteps.runId))
    .innerJoin(customerBackends, eq(customerBackends.id, provisioningRuns.backendId))
    // What no run has begun has left nothing.
    .where(and(eq(provisioningRuns.requestId, requestId), gt(provisioningSteps.attempts, 0)))
    .orderBy(asc(provisioningRuns.id), asc(provisioningSteps.position));
  const projects = Map.groupBy(begun, ({ projectRef }) => projectRef);
  return [...projects]
    .map(([projectRef, rows]) => staysIn(projectRef, rows))
    .filter((stays) => linesIn(stays).length > 0);
}

/** `begun`: the steps that runs have begun in the project, oldest first. */
function staysIn(
  projectRef: string,
  begun: readonly { ownerUserId: string | null; step: Step }[],
): WhatStays {
  const steps = begun.map(({ step }) => step);
  const told = lastTold(steps);
  const having = (effect: Effect) =>
    told.filter((one) => one.effect === effect).map(({ step }) => step);
  const ofKind = (kind: Step["kind"]) => having("done").filter((step) => step.kind === kind);
  return {
    projectRef,
    applied: ofKind("sql").map((step) => ({ version: step.ledgerVersion ?? "", ...fileOf(step) })),
    seeds: ofKind("seed").map(fileOf),
    ownerAccount: begun.some(({ ownerUserId }) => ownerUserId !== null),
    buckets: ofKind("storage").map(bucketNameOf),
    authSettings: ofKind("auth-config").some(({ outcome }) => outcome?.outcome !== "nothing_asked"),
    ledger: ofKind("preflight").length > 0 || steps.some(isPrepared),
    unfinished: having("unfinished").map(({ file, name }) => file ?? name),
    unknown: having("unknown").map(({ name }) => name),
  };
}

/** Of each thing that runs did: the last step that says something of its effect. Done is done. */
function lastTold(steps: readonly Step[]) {
  const told = new Map<string, { step: Step; effect: Effect }>();
  for (const step of steps) {
    const effect = effectOf(step);
    const isDone = told.get(keyOf(step))?.effect === "done";
    if (effect === "done" || (effect !== null && !isDone)) told.set(keyOf(step), { step, effect });
  }
  return [...told.values()];
}

const keyOf = ({ file, name }: Step) => file ?? name;
const fileOf = ({ template, file }: Step) => ({ template: template ?? "", file: file ?? "" });
const isPrepared = ({ outcome }: Step) => outcome?.outcome === "prepared";

type Effect = "done" | "undone" | "unfinished" | "unknown";

/**
 * What a step that has begun tells of its effect on the project, unless it is still at work; null
 * where it tells nothing, as one that could not connect: what an earlier run told holds on.
 */
export function effectOf(step: Step): Effect | null {
  const { status, outcome, error } = step;
  if (status === "done") return "done";
  if (outcome?.outcome === "unfinished") return "unfinished";
  if (isUnknown(step)) return "unknown";
  // A file that the database refuses is not in its ledger, nor is one that waits after a
  // cancelled run: both looked.
  return status === "pending" || error?.code === REFUSED ? "undone" : null;
}

/** The database's own answer to a file. */
const REFUSED = "sql_step_failed";

function isUnknown({ kind, status, attempts, outcome, error }: Step): boolean {
  if (outcome?.outcome === "unknown" || error?.code === "step_outcome_unknown") return true;
  // Its run ended outside its steps. The checks only read.
  if (status === "running") return kind !== "health";
  if (!error) return false;
  // A worker that was lost may have committed it.
  if (kind === "sql" || kind === "seed") return attempts > 1 && error.code !== REFUSED;
  return (kind === "owner" || kind === "storage") && WITHOUT_ANSWER.has(error.code);
}

/** Failures of a call that may have done its work all the same. */
const WITHOUT_ANSWER = new Set(["outbound_timeout", "project_timeout", "supabase_failure"]);

/**
 * What stays, as lines for people and for the record: no personal data, no secret. Of several
 * projects, each line names its own.
 */
export function linesOf(projects: readonly WhatStays[]): string[] {
  if (projects.length === 1) return projects.flatMap(linesIn);
  return projects.flatMap((stays) => linesIn(stays).map((line) => `${stays.projectRef}: ${line}`));
}

function linesIn(stays: WhatStays): string[] {
  return [
    ...stays.applied.map(({ version, file }) => `version ${version} (${file})`),
    ...stays.seeds.map(({ template, file }) => `seed data of ${template} (${file})`),
    ...stays.buckets.map((name) => `the bucket ${name}`),
    ...(stays.authSettings ? ["the sign-in settings that the templates ask for"] : []),
    ...(stays.ownerAccount ? ["the owner's account"] : []),
    ...(stays.ledger ? ["the ledger: schemas berth and supabase_migrations"] : []),
    ...stays.unfinished.map((file) => `perhaps an index that is not valid (${file})`),
    ...stays.unknown.map((name) => `perhaps the effect of “${name}”`),
  ];
}

import { and, asc, desc, eq, gt } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import type { Tx } from "#db/index.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import type { RequestRow } from "../queue/index.server.ts";
import type { Step } from "./runs.ts";

/**
 * What Berth's runs built in a customer's project, and what therefore stays there when the request is
 * closed: Berth takes nothing back. By Berth's record of steps, which follows the database's ledger.
 */
export interface WhatStays {
  projectRef: string;
  /** Versions of the ledger, in the order of the plan. */
  applied: { version: string; template: string; file: string }[];
  seeds: { template: string; file: string }[];
  /** The account that belongs to the customer. */
  ownerAccount: boolean;
  /** Sign-up is closed, e-mail is on. */
  authSettings: boolean;
  /** The schemas `berth` and `supabase_migrations`, with the record of what was applied. */
  ledger: boolean;
  /** Files that were stopped half-way: each may have left an index that is not valid. */
  unfinished: string[];
  /** Steps of which nobody could find out whether they took effect. */
  unknown: string[];
}

/**
 * What stays in the project that a failed or cancelled request's runs last worked on: shown before it
 * is closed, and afterwards. Null where nothing does, and for a request that goes on.
 */
export async function staysOf(
  tx: Tx,
  { id: requestId, status }: Pick<RequestRow, "id" | "status">,
): Promise<WhatStays | null> {
  if (status !== "failed" && status !== "cancelled") return null;
  const [last] = await tx
    .select({
      backendId: customerBackends.id,
      projectRef: customerBackends.projectRef,
      ownerUserId: customerBackends.ownerUserId,
    })
    .from(provisioningRuns)
    .innerJoin(customerBackends, eq(customerBackends.id, provisioningRuns.backendId))
    .where(eq(provisioningRuns.requestId, requestId))
    .orderBy(desc(provisioningRuns.id))
    .limit(1);
  if (!last) return null;
  const steps = await tx
    .select({ step: provisioningSteps })
    .from(provisioningSteps)
    .innerJoin(provisioningRuns, eq(provisioningRuns.id, provisioningSteps.runId))
    // What no run has begun has left nothing.
    .where(and(eq(provisioningRuns.backendId, last.backendId), gt(provisioningSteps.attempts, 0)))
    .orderBy(asc(provisioningRuns.id), asc(provisioningSteps.position));
  const newest = new Map(steps.map(({ step }) => [keyOf(step), step]));
  const done = new Map(
    steps.filter(({ step }) => step.status === "done").map(({ step }) => [keyOf(step), step]),
  );
  const ofKind = (kind: Step["kind"]) => [...done.values()].filter((step) => step.kind === kind);
  const undone = [...newest.values()].filter((step) => !done.has(keyOf(step)));
  const stays: WhatStays = {
    projectRef: last.projectRef,
    applied: ofKind("sql").map((step) => ({ version: step.ledgerVersion ?? "", ...fileOf(step) })),
    seeds: ofKind("seed").map(fileOf),
    ownerAccount: last.ownerUserId !== null,
    authSettings: ofKind("auth-config").length > 0,
    ledger: ofKind("preflight").length > 0 || steps.some(({ step }) => isPrepared(step)),
    unfinished: undone.filter(isUnfinished).map(({ file, name }) => file ?? name),
    unknown: undone.filter(isUnknown).map(({ name }) => name),
  };
  return linesOf(stays).length > 0 ? stays : null;
}

const keyOf = ({ file, name }: Step) => file ?? name;
const fileOf = ({ template, file }: Step) => ({ template: template ?? "", file: file ?? "" });
const isPrepared = ({ outcome }: Step) => outcome?.outcome === "prepared";
const isUnfinished = ({ outcome }: Step) => outcome?.outcome === "unfinished";
const isUnknown = ({ outcome, error }: Step) =>
  outcome?.outcome === "unknown" || error?.code === "step_outcome_unknown";

/** What stays, as lines for people and for the record: no personal data, no secret. */
export function linesOf(stays: WhatStays): string[] {
  return [
    ...stays.applied.map(({ version, file }) => `version ${version} (${file})`),
    ...stays.seeds.map(({ template, file }) => `seed data of ${template} (${file})`),
    ...(stays.authSettings ? ["sign-up closed and e-mail on"] : []),
    ...(stays.ownerAccount ? ["the owner's account"] : []),
    ...(stays.ledger ? ["the ledger: schemas berth and supabase_migrations"] : []),
    ...stays.unfinished.map((file) => `perhaps an index that is not valid (${file})`),
    ...stays.unknown.map((name) => `perhaps the effect of “${name}”`),
  ];
}

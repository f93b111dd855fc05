import { and, asc, desc, eq, sql } from "drizzle-orm";
import { iso } from "#app/platform/instants.ts";
import { user } from "#db/auth.ts";
import { plans, planTargets } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { oneTimeLinks } from "#db/notifications.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import { provisioningQueue, type RequestFailure, requestClockSegments } from "#db/queue.ts";
import { type BackendView, viewBackend } from "../backends/index.server.ts";
import type { Answers, Catalog } from "../catalog/index.server.ts";
import type { StaffRole } from "../identity/index.server.ts";
import { listMails } from "../notifications/index.server.ts";
import {
  databaseNow,
  EDGES,
  newestChanges,
  type Priority,
  type RequestChange,
  RequestNotFoundError,
  type RequestStatus,
  type Seen,
} from "../queue/index.server.ts";
import { type DueState, dueState, targetOfRequest } from "../sla/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { tellFailure } from "./drift-acceptance.ts";
import { hasLeft } from "./holder.ts";
import { type Standing, standingOf } from "./standing.ts";
import { staysOf, type WhatStays } from "./stays.ts";

/** Everything that the desk's page of a request shows. Times are ISO 8601 in UTC. No secret. */
export interface DeskRequest {
  requestId: string;
  /** What forms carry, so that an act can be judged by what was shown. */
  seen: Seen;
  status: RequestStatus;
  standing: Standing;
  /** Whether it can be cancelled from this state, by whoever may act on it. */
  canCancel: boolean;
  priority: Priority;
  plan: { name: string; price: number; currency: string; cycle: "monthly" | "yearly" };
  region: string;
  features: { name: string; title: string; version: string }[];
  /** Answers to what the features ask. */
  parameters: Answers;
  customer: {
    company: string;
    contactName: string;
    email: string;
    phone: string | null;
    country: string;
    timezone: string;
    industry: string | null;
  };
  clock: {
    createdAt: string;
    dueAt: string | null;
    dueState: DueState;
    endedAt: string | null;
    promisedHours: number;
    pauses: { startedAt: string; endedAt: string | null }[];
  };
  assignee: { id: string; name: string; isVisitor: boolean; hasLeft: boolean } | null;
  claimExpiresAt: string | null;
  /** Why it stands as failed; of an accepted difference, that a retry goes on. */
  failure: RequestFailure | null;
  /** The project attached, or the one that the customer offers; not one that was let go. */
  backend: BackendView | null;
  run: { status: string; done: number; total: number; step: string | null } | null;
  /** Of a request that failed or was cancelled: what runs built in its project, which nobody takes back. */
  stays: WhatStays[] | null;
  ownerLink: { state: "waiting" | "used" | "expired"; at: string } | null;
  mails: {
    id: string;
    kind: string;
    status: string;
    attempts: number;
    sentAt: string | null;
    lastError: string | null;
  }[];
  /** Newest first. */
  timeline: RequestChange[];
  /** Older events were left out. */
  timelineCut: boolean;
}

/** Newest events shown with a request; older ones are in the audit record. */
const TIMELINE_LENGTH = 200;

/** @throws RequestNotFoundError */
export async function viewForDesk(
  { tx, vault, catalog }: { tx: Tx; vault: Vault; catalog: Catalog },
  requestId: string,
  visitor: { userId: string; role: StaffRole },
): Promise<DeskRequest> {
  const [found] = await tx
    .select({
      request: provisioningQueue,
      customer: customers,
      plan: plans,
      hours: planTargets.hours,
      assigneeName: user.name,
    })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .innerJoin(plans, eq(plans.id, provisioningQueue.planId))
    .innerJoin(planTargets, targetOfRequest)
    .leftJoin(user, eq(user.id, provisioningQueue.assigneeId))
    .where(eq(provisioningQueue.id, requestId));
  if (!found) throw new RequestNotFoundError();
  const { request, customer, plan, hours, assigneeName } = found;
  const now = await databaseNow(tx);
  const timeline = await newestChanges(tx, requestId, TIMELINE_LENGTH + 1);
  const backend = await viewBackend(tx, vault, requestId);
  const live = backend?.status === "retired" ? null : backend;
  const { company, contactName, email, phone, country, timezone, industry } = customer;
  return {
    requestId,
    seen: { version: request.version, eventId: timeline[0]?.id ?? 0 },
    status: request.status,
    standing: standingOf(request, visitor, now),
    canCancel: EDGES[request.status].includes("cancelled"),
    priority: request.priority,
    plan: {
      name: plan.name,
      price: request.billingCycle === "yearly" ? plan.yearlyPrice : plan.monthlyPrice,
      currency: plan.currency,
      cycle: request.billingCycle,
    },
    region: request.region,
    features: request.features.map((name) => featureOf(catalog, name, live?.installed[name])),
    parameters: request.parameters,
    customer: { company, contactName, email, phone, country, timezone, industry },
    clock: {
      createdAt: request.createdAt.toISOString(),
      dueAt: iso(request.dueAt),
      dueState: dueState({ now, dueAt: request.dueAt, targetHours: hours }),
      endedAt: iso(request.endedAt),
      promisedHours: hours,
      pauses: await pausesOf(tx, requestId),
    },
    assignee: request.assigneeId
      ? {
          id: request.assigneeId,
          name: assigneeName ?? "Somebody else",
          isVisitor: request.assigneeId === visitor.userId,
          hasLeft: await hasLeft(tx, request.assigneeId),
        }
      : null,
    claimExpiresAt: request.status === "in_progress" ? iso(request.leaseExpiresAt) : null,
    failure:
      request.status === "failed" && request.failure
        ? await tellFailure(tx, requestId, request.failure)
        : null,
    backend: live,
    run: await newestRunOf(tx, requestId),
    stays: await staysOf(tx, request),
    ownerLink: await ownerLinkOf(tx, requestId, now),
    mails: (await listMails(tx, requestId)).map(({ sentAt, ...mail }) => ({
      ...mail,
      sentAt: iso(sentAt),
    })),
    timeline: timeline.slice(0, TIMELINE_LENGTH),
    timelineCut: timeline.length > TIMELINE_LENGTH,
  };
}

/** A feature with the version that is installed, or that would be. */
function featureOf(catalog: Catalog, name: string, installed: string | undefined) {
  const template = catalog.templates.find((one) => one.name === name);
  return {
    name,
    title: template?.title ?? name,
    version: installed ?? template?.version ?? "",
  };
}

async function pausesOf(tx: Tx, requestId: string) {
  const segments = await tx
    .select()
    .from(requestClockSegments)
    .where(
      and(eq(requestClockSegments.requestId, requestId), eq(requestClockSegments.kind, "paused")),
    )
    .orderBy(asc(requestClockSegments.startedAt))
    .limit(50);
  return segments.map(({ startedAt, endedAt }) => ({
    startedAt: startedAt.toISOString(),
    endedAt: iso(endedAt),
  }));
}

async function newestRunOf(tx: Tx, requestId: string): Promise<DeskRequest["run"]> {
  const [run] = await tx
    .select({
      status: provisioningRuns.status,
      total: sql<number>`count(${provisioningSteps.id})::int`,
      done: sql<number>`count(*) filter (where ${provisioningSteps.status} = 'done')::int`,
      step: sql<string | null>`min(${provisioningSteps.name})
        filter (where ${provisioningSteps.status} in ('running', 'failed', 'needs_person'))`,
    })
    .from(provisioningRuns)
    .leftJoin(provisioningSteps, eq(provisioningSteps.runId, provisioningRuns.id))
    .where(eq(provisioningRuns.requestId, requestId))
    .groupBy(provisioningRuns.id)
    .orderBy(desc(provisioningRuns.id))
    .limit(1);
  return run ?? null;
}

async function ownerLinkOf(
  tx: Tx,
  requestId: string,
  now: Date,
): Promise<DeskRequest["ownerLink"]> {
  const [link] = await tx
    .select()
    .from(oneTimeLinks)
    .where(and(eq(oneTimeLinks.requestId, requestId), eq(oneTimeLinks.purpose, "owner")))
    .orderBy(desc(oneTimeLinks.id))
    .limit(1);
  if (!link) return null;
  if (link.usedAt) return { state: "used", at: link.usedAt.toISOString() };
  const state = link.expiresAt <= now ? "expired" : "waiting";
  return { state, at: link.expiresAt.toISOString() };
}

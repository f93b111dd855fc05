import { and, count, desc, eq, lt, sql } from "drizzle-orm";
import { z } from "zod";
import { iso } from "#app/platform/instants.ts";
import { plans } from "#db/catalog.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { oneTimeLinks, outbox } from "#db/notifications.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import { provisioningQueue, requestEvents } from "#db/queue.ts";
import {
  type CheckName,
  checkNames,
  liveBackendOf,
  retireBackend,
} from "../backends/index.server.ts";
import type { Answers, Catalog } from "../catalog/index.server.ts";
import {
  type Context,
  lockRequest,
  mailCustomer,
  moveRequest,
  RequestNotFoundError,
  type RequestStatus,
  tellEvent,
} from "../queue/index.server.ts";
import { RUN_CANCELLED } from "./cancel-run.ts";
import { TooLateToCancelError } from "./errors.ts";

/** One of a customer's own requests, in a list. Times are ISO 8601 in UTC. */
export interface OwnRequest {
  requestId: string;
  company: string;
  plan: string;
  status: RequestStatus;
  /** One of us ended the run: nothing is broken, although the request stands as failed. */
  isPaused: boolean;
  createdAt: string;
}

const PAGE = 50;

/** Where in the list of one's own requests a page begins: after this one. */
export const ownRequestsFilter = z.object({ cursor: z.uuid().optional() });

/** The requests of the customer acting, newest first: row-level security leaves out all others. */
export async function listOwnRequests(
  tx: Tx,
  { cursor }: z.infer<typeof ownRequestsFilter> = {},
): Promise<{ requests: OwnRequest[]; nextCursor: string | null }> {
  const rows = await ownRequests(tx)
    .where(cursor === undefined ? undefined : lt(provisioningQueue.id, cursor))
    .orderBy(desc(provisioningQueue.id))
    .limit(PAGE + 1);
  const requests = rows.slice(0, PAGE).map(({ request, company, plan }) => ({
    requestId: request.id,
    company,
    plan,
    status: request.status,
    isPaused: isPaused(request),
    createdAt: request.createdAt.toISOString(),
  }));
  const nextCursor = rows.length > PAGE ? (requests.at(-1)?.requestId ?? null) : null;
  return { requests, nextCursor };
}

const isPaused = ({ status, failure }: typeof provisioningQueue.$inferSelect) =>
  status === "failed" && failure?.code === RUN_CANCELLED;

const ownRequests = (tx: Tx) =>
  tx
    .select({
      request: provisioningQueue,
      company: customers.company,
      email: customers.email,
      timezone: customers.timezone,
      plan: plans.name,
    })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .innerJoin(plans, eq(plans.id, provisioningQueue.planId))
    .$dynamic();

/** How a customer's request stands, in what its page shows. Times are ISO 8601 in UTC. */
export interface Tracking extends OwnRequest {
  email: string;
  timezone: string;
  region: string;
  features: { title: string; version: string | null }[];
  /** What was answered to what the features ask. */
  parameters: Answers;
  /** The promise; null while the clock stands still. */
  dueAt: string | null;
  endedAt: string | null;
  /** Newest first. */
  timeline: { key: number; at: string; title: string; text: string | null }[];
  /** How far the newest run is; null before there is one. */
  progress: { done: number; total: number } | null;
  backend: { url: string } | null;
  ownerLink: OwnerLinkState | null;
  /** When we last asked for something by mail; null unless we wait for the answer. */
  askedAt: string | null;
  /** The lines of the connection test that its project does not hold; empty unless we wait for it. */
  toMend: CheckName[];
}

/** What became of the mail with the owner's link. */
export interface OwnerLinkState {
  state: "being_sent" | "not_delivered" | "waiting" | "used" | "expired";
  /** When it was mailed, used or ran out, as the state has it. */
  at: string | null;
  expiresAt: string;
}

/** More happens to a request only where something goes round in circles. */
const TIMELINE_LENGTH = 100;

/**
 * One request of the customer acting, as far as it may know it.
 * @throws RequestNotFoundError, for another's too
 */
export async function trackRequest(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  requestId: string,
): Promise<Tracking> {
  const [row] = await ownRequests(tx).where(eq(provisioningQueue.id, requestId));
  if (!row) throw new RequestNotFoundError();
  const { request, company, email, timezone, plan } = row;
  const backend = await liveBackendOf(tx, requestId);
  const isReady = request.status === "completed";
  return {
    requestId,
    company,
    email,
    timezone,
    plan,
    status: request.status,
    isPaused: isPaused(request),
    region: request.region,
    features: featuresOf(catalog, request.features, isReady ? backend?.installed : undefined),
    parameters: request.parameters,
    createdAt: request.createdAt.toISOString(),
    dueAt: iso(request.dueAt),
    endedAt: iso(request.endedAt),
    timeline: await timelineOf(tx, requestId),
    progress: request.status === "migrating" ? await progressOf(tx, requestId) : null,
    backend: isReady && backend ? { url: backend.url } : null,
    ownerLink: isReady ? await ownerLinkOf(tx, requestId) : null,
    askedAt: request.status === "waiting_on_customer" ? await lastAsked(tx, requestId) : null,
    toMend: request.status === "waiting_on_customer" ? await toMendOf(tx, requestId) : [],
  };
}

/** Titles instead of names; a template that is shipped no more keeps its name. */
function featuresOf(
  catalog: Catalog,
  names: readonly string[],
  installed: Record<string, string> | undefined,
): Tracking["features"] {
  const titles = new Map(catalog.templates.map(({ name, title }) => [name, title]));
  const shown = installed ? catalogOrder(names, Object.keys(installed)) : names;
  return shown.map((name) => ({
    title: titles.get(name) ?? name,
    version: installed?.[name] ?? null,
  }));
}

/** What was asked for first, in its order; then whatever else is there. */
const catalogOrder = (names: readonly string[], present: readonly string[]) => [
  ...names.filter((name) => present.includes(name)),
  ...present.filter((name) => !names.includes(name)),
];

async function timelineOf(tx: Tx, requestId: string): Promise<Tracking["timeline"]> {
  // Notes and other business of the house are rows of the same table: neither kind nor data leave it.
  const events = await tx
    .select({ id: requestEvents.id, kind: requestEvents.kind, at: requestEvents.at })
    .from(requestEvents)
    .where(eq(requestEvents.requestId, requestId))
    .orderBy(desc(requestEvents.id))
    .limit(TIMELINE_LENGTH);
  return events.flatMap(({ id, kind, at }) => {
    const told = tellEvent(kind);
    if (!told) return [];
    return [{ key: id, at: at.toISOString(), title: told.title, text: told.text ?? null }];
  });
}

async function progressOf(tx: Tx, requestId: string): Promise<Tracking["progress"]> {
  const [run] = await tx
    .select({ id: provisioningRuns.id })
    .from(provisioningRuns)
    .where(eq(provisioningRuns.requestId, requestId))
    .orderBy(desc(provisioningRuns.id))
    .limit(1);
  if (!run) return null;
  const [steps] = await tx
    .select({
      total: count(provisioningSteps.id),
      done: count(sql`case when ${provisioningSteps.status} = 'done' then 1 end`),
    })
    .from(provisioningSteps)
    .where(eq(provisioningSteps.runId, run.id));
  return steps ?? null;
}

async function ownerLinkOf(tx: Tx, requestId: string): Promise<OwnerLinkState | null> {
  const [link] = await tx
    .select({
      expiresAt: oneTimeLinks.expiresAt,
      usedAt: oneTimeLinks.usedAt,
      hasExpired: sql<boolean>`${oneTimeLinks.expiresAt} <= berth_now()`,
    })
    .from(oneTimeLinks)
    .where(and(eq(oneTimeLinks.requestId, requestId), eq(oneTimeLinks.purpose, "owner")))
    .orderBy(desc(oneTimeLinks.id))
    .limit(1);
  if (!link) return null;
  const [mail] = await mailsOf(tx, requestId, "ready");
  const expiresAt = link.expiresAt.toISOString();
  if (link.usedAt) return { state: "used", at: iso(link.usedAt), expiresAt };
  if (link.hasExpired) return { state: "expired", at: expiresAt, expiresAt };
  if (mail?.status === "dead") return { state: "not_delivered", at: null, expiresAt };
  const isSent = mail?.status === "sent";
  return { state: isSent ? "waiting" : "being_sent", at: iso(mail?.sentAt ?? null), expiresAt };
}

async function lastAsked(tx: Tx, requestId: string): Promise<string | null> {
  const [mail] = await mailsOf(tx, requestId, "credentials_problem");
  return iso(mail?.sentAt ?? mail?.createdAt ?? null);
}

async function toMendOf(tx: Tx, requestId: string): Promise<CheckName[]> {
  const [event] = await tx
    .select({ data: requestEvents.data })
    .from(requestEvents)
    .where(
      and(eq(requestEvents.requestId, requestId), eq(requestEvents.kind, "credentials_problem")),
    )
    .orderBy(desc(requestEvents.id))
    .limit(1);
  const failed: unknown = event?.data.failed;
  return Array.isArray(failed) ? checkNames.filter((name) => failed.includes(name)) : [];
}

const mailsOf = (tx: Tx, requestId: string, kind: "ready" | "credentials_problem") =>
  tx
    .select({ status: outbox.status, createdAt: outbox.createdAt, sentAt: outbox.sentAt })
    .from(outbox)
    .where(and(eq(outbox.requestId, requestId), eq(outbox.kind, kind)))
    .orderBy(desc(outbox.id))
    .limit(1);

/**
 * Takes back a request of the customer acting that nobody has begun: its project is let go of, and
 * credentials that came with it are destroyed. Repeating it changes nothing.
 * @throws RequestNotFoundError, for another's too; TooLateToCancelError once somebody is at it
 */
export async function cancelOwnRequest({ tx, actor }: Context, requestId: string): Promise<void> {
  const request = await lockRequest(tx, requestId);
  if (request.status === "cancelled") return;
  if (request.status !== "pending") throw new TooLateToCancelError(request.status);
  await moveRequest({ tx, actor }, request, "cancelled", { event: "cancelled" });
  const backend = await liveBackendOf(tx, requestId);
  if (backend) await retireBackend({ tx, actor }, backend, "cancelled");
  await mailCustomer({ tx, actor }, request, "cancelled");
}

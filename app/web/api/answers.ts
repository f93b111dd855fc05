/** The shapes of what the API answers, for its documentation. Times are ISO 8601 in UTC. */
import { z } from "zod";
import { PRIORITIES } from "#db/catalog.ts";
import { STEP_KINDS, STEP_STATUSES } from "#db/provisioning.ts";
import { REQUEST_STATUSES } from "#db/queue.ts";

const instant = z.iso.datetime();
const status = z.enum(REQUEST_STATUSES);
const facts = z.record(z.string(), z.unknown());
const position = z
  .number()
  .int()
  .nullable()
  .describe("Waiting requests ahead of this one; null when it is not waiting.");

export const submitted = z.object({
  customerId: z.uuid(),
  requestId: z.uuid(),
  status,
  position,
  dueAt: instant.nullable(),
  estimatedCompletionAt: instant.nullable(),
});

export const customersFound = z.object({
  customers: z.array(
    z.object({
      customerId: z.uuid(),
      company: z.string(),
      email: z.string(),
      requests: z.array(
        z.object({ requestId: z.uuid(), status, position, dueAt: instant.nullable() }),
      ),
    }),
  ),
});

export const connectionReport = z.object({
  ok: z.boolean().describe("Whether every line holds."),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      found: z.string().optional(),
      needed: z.string().optional(),
      fix: z.string().optional(),
    }),
  ),
});

const queueItem = z.object({
  requestId: z.uuid(),
  customerId: z.uuid(),
  company: z.string(),
  plan: z.string(),
  billingCycle: z.string(),
  region: z.string(),
  features: z.array(z.string()),
  priority: z.enum(PRIORITIES),
  status,
  position,
  dueAt: instant.nullable(),
  createdAt: instant,
  updatedAt: instant,
  endedAt: instant.nullable(),
  assignee: z.object({ id: z.string(), name: z.string() }).nullable(),
  claimExpiresAt: instant.nullable(),
  failure: facts
    .nullable()
    .describe("Why it stands as failed: found, needed, fix, perhaps a link."),
});

export const queuePage = z.object({
  requests: z.array(queueItem),
  nextCursor: z.string().nullable().describe("Give this as `cursor` for the next page."),
});

export const requestView = queueItem.extend({
  backend: z
    .object({
      backendId: z.uuid(),
      projectRef: z.string(),
      url: z.string(),
      status: z.string(),
      generation: z.number().int(),
      installed: z.record(z.string(), z.string()),
      credentials: z.array(
        z.object({ field: z.string(), lastFour: z.string(), fingerprint: z.string() }),
      ),
    })
    .nullable(),
  run: z
    .object({
      runId: z.uuid(),
      status: z.string(),
      templates: z.record(z.string(), z.string()),
      takeovers: z.number().int(),
      createdAt: instant,
      startedAt: instant.nullable(),
      endedAt: instant.nullable(),
      steps: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(STEP_KINDS),
          status: z.enum(STEP_STATUSES),
          attempts: z.number().int(),
          durationMs: z.number().int().nullable(),
          outcome: facts.optional(),
          error: facts.optional(),
        }),
      ),
    })
    .nullable()
    .describe("The newest run, with its steps in order."),
  timeline: z.array(
    z.object({
      kind: z.string(),
      at: instant,
      actor: z.object({ kind: z.string(), id: z.string() }),
      data: facts,
    }),
  ),
  mails: z.array(
    z.object({
      kind: z.string(),
      status: z.string(),
      attempts: z.number().int(),
      lastError: z.string().nullable(),
    }),
  ),
});

export const auditPage = z.object({
  records: z.array(
    z.object({
      id: z.number().int(),
      at: instant,
      actorKind: z.string(),
      actorId: z.string(),
      action: z.string(),
      subjectKind: z.string(),
      subjectId: z.string(),
      requestId: z.string().nullable(),
      origin: z.string(),
      correlationId: z.string(),
      data: facts,
    }),
  ),
  nextCursor: z.string().nullable(),
});

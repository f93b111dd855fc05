/** The shapes of what the API answers, for its documentation. Times are ISO 8601 in UTC. */
import { z } from "zod";
import { PRIORITIES } from "#db/catalog.ts";
import { PLANNED, STEP_KINDS, STEP_STATUSES } from "#db/provisioning.ts";
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

const planBasis = z.object({
  digest: z.string().describe("Give this as `planDigest` with the credentials, or with the retry."),
  surveyedAt: instant,
  serverVersion: z.string(),
  isFresh: z.boolean().describe("No version applied yet, and nothing of the customer's own."),
  applied: z
    .record(z.string(), z.string().nullable())
    .describe("What the ledger has, with its checksum."),
});

const queueItem = z.object({
  requestId: z.uuid(),
  customerId: z.uuid(),
  company: z.string(),
  plan: z.string(),
  billingCycle: z.string(),
  region: z.string(),
  features: z.array(z.string()),
  parameters: z
    .record(z.string(), z.record(z.string(), z.string()))
    .describe("Answers to what the features ask: feature → parameter → value as text."),
  priority: z.enum(PRIORITIES),
  status,
  version: z.number().int().describe("Grows with each change of the request."),
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
      basis: planBasis.nullable().describe("What its plan was made from; null until it is made."),
      error: facts
        .nullable()
        .describe("Why the run as a whole did not end well, or who cancelled it."),
      cancelRequestedAt: instant.nullable().describe("When a person asked for its end."),
      expectedRemainingMs: z
        .number()
        .int()
        .nullable()
        .describe("By what its steps took in earlier runs; null where one has not run before."),
      steps: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(STEP_KINDS),
          status: z.enum(STEP_STATUSES),
          attempts: z.number().int(),
          durationMs: z.number().int().nullable(),
          expectedMs: z.number().int().nullable(),
          planned: z
            .enum(PLANNED)
            .nullable()
            .describe("Whether the file was in the ledger when the run was planned."),
          effects: facts
            .nullable()
            .describe(
              "What its file does to what exists: statements, locks, rewrites, and what cannot be seen.",
            ),
          outcome: facts.optional(),
          error: facts.optional(),
        }),
      ),
    })
    .nullable()
    .describe("The newest run, with its steps in order."),
  stays: z
    .array(
      z.object({
        projectRef: z.string(),
        applied: z.array(z.object({ version: z.string(), template: z.string(), file: z.string() })),
        seeds: z.array(z.object({ template: z.string(), file: z.string() })),
        ownerAccount: z.boolean(),
        buckets: z.array(z.string()).describe("Buckets of the project's Storage."),
        authSettings: z.boolean().describe("Auth has the settings that the templates ask for."),
        ledger: z.boolean().describe("The schemas berth and supabase_migrations."),
        unfinished: z
          .array(z.string())
          .describe("Files stopped half-way: each may have left an index that is not valid."),
        unknown: z
          .array(z.string())
          .describe("Steps of which nobody knows whether they took effect."),
      }),
    )
    .nullable()
    .describe(
      "Of a failed or cancelled request: what its runs built, which nobody takes back, for each project they worked on, those given up for another one too. Null for any other request.",
    ),
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

export const rehearsalAnswer = z.object({
  rehearsal: z.object({
    where: z.enum(["backend", "scratch copy"]),
    ok: z.boolean().describe("Nothing failed, and every file was reached."),
    steps: z.array(
      z.object({
        name: z.string(),
        file: z.string(),
        version: z.string(),
        outcome: z.enum(["rehearsed", "failed", "not_rehearsed", "not_reached", "applied"]),
        durationMs: z.number().int(),
        reason: z.string().optional().describe("Why it could not be rehearsed."),
        error: facts.optional(),
      }),
    ),
    missing: z.array(z.string()).describe("What the scratch copy lacks."),
    notPart: z
      .array(z.string())
      .describe("What a run does besides, and no rehearsal does: the run may still stop there."),
    durationMs: z.number().int(),
  }),
});

const effects = z
  .object({
    statements: z.number().int(),
    transactional: z.boolean(),
    timeoutMs: z.number().int().describe("Of each statement."),
    locks: z
      .array(z.object({ relation: z.string(), mode: z.string(), line: z.number().int() }))
      .describe("The strongest on each relation that exists already, the strongest first."),
    rewrites: z
      .array(z.object({ relation: z.string(), line: z.number().int(), why: z.string() }))
      .describe("Tables that are written anew as a whole."),
    unseen: z
      .array(z.object({ line: z.number().int(), what: z.string() }))
      .optional()
      .describe(
        "What the text cannot tell the locks of: DO blocks, called functions, DROP … CASCADE and the like.",
      ),
  })
  .describe("What the file does to what exists. Of a file that is applied already, nothing.");

export const planAnswer = z.object({
  plan: z.object({
    templates: z.record(z.string(), z.string()),
    steps: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(STEP_KINDS),
        template: z.string().optional(),
        file: z.string().optional(),
        ledgerVersion: z.string().optional(),
        checksum: z.string().optional(),
        about: z
          .string()
          .optional()
          .describe("Of a bucket and of Auth: what it is set to, in words."),
        planned: z
          .enum(PLANNED)
          .optional()
          .describe(
            "`applied` is passed over; `differs` stops the run unless a supervisor has accepted the difference.",
          ),
        effects: effects.optional(),
        expectedMs: z
          .number()
          .int()
          .nullable()
          .describe("The median of earlier runs of the same step."),
      }),
    ),
    strangers: z.array(z.string()).describe("Versions in the ledger that no template has."),
    basis: planBasis,
  }),
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

import { z } from "zod";
import {
  correctionInput,
  correctSettings,
  credentialsInput,
} from "#app/domain/onboarding/index.server.ts";
import {
  cancelRequest,
  cancelRun,
  planRetry,
  retryRequest,
  submitCredentials,
  tellFailure,
  viewRequest,
} from "#app/domain/provisioning/index.server.ts";
import {
  type Context,
  claimRequest,
  listQueue,
  queueFilter,
  RequestNotFoundError,
  releaseRequest,
} from "#app/domain/queue/index.server.ts";
import { asActor } from "#db/index.ts";
import { queuePage, requestView } from "../answers.ts";
import { type Call, type Endpoint, endpoint } from "../endpoint.ts";
import { EACH_TEST, spend } from "../limits.ts";

export const listRequests = endpoint({
  method: "GET",
  path: "/api/queue",
  scope: "queue:read",
  summary: "List requests in the order of the queue",
  query: queueFilter,
  answer: { status: 200, schema: queuePage },
  handle: ({ services, actor, query }) => asActor(services.db, actor, (tx) => listQueue(tx, query)),
});

/** What is no id of a request is no request. @throws RequestNotFoundError */
export function requestIdOf(call: Pick<Call<unknown, unknown>, "params">): string {
  const parsed = z.uuid().safeParse(call.params.requestId);
  if (!parsed.success) throw new RequestNotFoundError();
  return parsed.data;
}

/** One request, and why it stands as failed as of now. */
const view = ({ services, actor, params }: Call<unknown, unknown>) =>
  asActor(services.db, actor, async (tx) => {
    const request = await viewRequest({ tx, vault: services.vault }, requestIdOf({ params }));
    const { requestId, status, failure } = request;
    if (status !== "failed" || !failure) return request;
    return { ...request, failure: await tellFailure(tx, requestId, failure) };
  });

export const getRequest = endpoint({
  method: "GET",
  path: "/api/queue/{requestId}",
  scope: "queue:read",
  summary: "Read one request with its backend, run, timeline and mails",
  query: z.strictObject({}),
  answer: { status: 200, schema: requestView },
  problems: ["request_not_found"],
  handle: view,
});

/** Why an act on a request that somebody has to hold may be refused. */
export const HOLDING = [
  "request_not_found",
  "request_wrong_state",
  "request_held",
  "claim_expired",
  "credentials_missing",
];

/** An act on a request without a body; answers with the request as it is afterwards. */
function act(
  name: string,
  summary: string,
  work: (context: Context, requestId: string) => Promise<unknown>,
  more: { description?: string; status?: 200 | 202 } = {},
): Endpoint {
  return endpoint({
    method: "POST",
    path: `/api/queue/{requestId}/${name}`,
    scope: "queue:work",
    summary,
    description: more.description,
    body: z.strictObject({}),
    answer: { status: more.status ?? 200, schema: requestView },
    problems: HOLDING,
    async handle(call: Call<unknown, unknown>) {
      const { services, actor } = call;
      const requestId = requestIdOf(call);
      await asActor(services.db, actor, (tx) => work({ tx, actor }, requestId));
      return view(call);
    },
  });
}

export const claim = act(
  "claim",
  "Claim a request for the key's owner; a loser is told who has it",
  claimRequest,
);

export const release = act("release", "Give a claimed request back to the queue", releaseRequest);

export const correct = endpoint({
  method: "POST",
  path: "/api/queue/{requestId}/settings",
  scope: "queue:work",
  summary: "Correct answers to what the request's features ask",
  description:
    "For who holds the request, as long as no run is building with the answers (409, `settings_closed`). What a feature's seed has put into the project, or may have, stays as long as no other version of the feature reads it again: it is changed in the product itself. Nothing is corrected where the request is not in the `version` that was read (409, `request_changed`); every act on it raises that, so read it right before. Several callers at once: one wins. The customer sees that the settings were corrected; which questions is in the timeline, the answers are not.",
  body: correctionInput,
  answer: { status: 200, schema: requestView },
  problems: [...HOLDING, "request_changed", "settings_closed", "answers_not_possible"],
  async handle(call) {
    const { services, actor, body } = call;
    const { catalog, db } = services;
    // Without an event that was seen, nothing but the very version will do.
    const seen = { version: body.version, eventId: 0 };
    await asActor(db, actor, (tx) =>
      correctSettings({ tx, actor, catalog }, requestIdOf(call), body.parameters, seen),
    );
    return view(call);
  },
});

/** The plan that was looked at. */
const planDigest = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "Give the `digest` of the plan's `basis`.")
  .optional();

export const retry = endpoint({
  method: "POST",
  path: "/api/queue/{requestId}/retry",
  scope: "queue:work",
  summary: "Run a failed request again, from the step that failed",
  description:
    "With `planDigest` the credentials are tested first, and the run starts only if it would be the one that `plan` told without a body; else nothing is started (409, `plan_changed`): ask for the plan again. Without it, the worker plans the run when it begins.",
  body: z.strictObject({ planDigest }),
  bodyOptional: true,
  answer: { status: 200, schema: requestView },
  problems: [...HOLDING, "credentials_refused", "plan_changed", "plan_unavailable"],
  async handle(call) {
    const { services, actor, holder, body } = call;
    const requestId = requestIdOf(call);
    const digest = body?.planDigest;
    const plan = async () => {
      // A retry reaches out only to compare.
      await spend(services.db, actor, EACH_TEST, holder.keyId);
      return planRetry({ ...services, actor }, requestId);
    };
    const seen = digest === undefined ? undefined : { digest, ...(await plan()) };
    await asActor(services.db, actor, (tx) =>
      retryRequest({ tx, actor }, services.catalog, requestId, seen),
    );
    return view(call);
  },
});

export const cancel = act(
  "cancel",
  "Cancel a request; its sealed credentials are destroyed, and its customer is told by mail",
  cancelRequest,
  {
    description:
      "What runs have built in its projects stays there; `stays` lists it, as for every failed request before.",
  },
);

export const endRun = act(
  "run/cancel",
  "Cancel the run of a request, to resume it later or to close the request",
  cancelRun,
  {
    status: 202,
    description:
      "The step in progress is cancelled within seconds and rolled back, unless its commit was faster: the ledger in the customer's database decides. The request then stands as failed with the code `run_cancelled`; `retry` resumes it, `cancel` closes it. A run whose last step ends first completes, and the request with it. Asking again changes nothing.",
  },
);

const SECRETS = Object.keys(credentialsInput.shape) as (keyof typeof credentialsInput.shape)[];

/** All four values or none of them, and the plan that was looked at. */
const submission = credentialsInput
  .partial()
  .extend({ planDigest })
  .transform(({ planDigest, ...given }, context) => {
    if (Object.keys(given).length === 0) return { planDigest };
    const whole = credentialsInput.safeParse(given);
    if (whole.success) return { planDigest, ...whole.data };
    for (const name of SECRETS) {
      if (given[name] !== undefined) continue;
      context.addIssue({ code: "custom", path: [name], message: "Give all four values, or none." });
    }
    return z.NEVER;
  });

export const submit = endpoint({
  method: "POST",
  path: "/api/queue/{requestId}/credentials",
  scope: "queue:work",
  summary: "Supply the credentials of the request's Supabase project, and start building",
  description:
    "They are tested first; only if every line holds are they sealed and the run enqueued. Without them, the project that the customer offered is taken. After a failed run, other credentials may be given. With `planDigest` the run starts only if it would be the one that `plan` told; else nothing is started, and the answer (409, `plan_changed`) has the plan as it is now.",
  body: submission,
  bodyOptional: true,
  answer: { status: 200, schema: requestView },
  problems: [
    ...HOLDING,
    "credentials_refused",
    "project_in_use",
    "plan_changed",
    "plan_unavailable",
  ],
  reachesOut: true,
  async handle(call) {
    const { services, actor, body } = call;
    const { planDigest, ...given } = body ?? {};
    const credentials = "url" in given ? given : null;
    const deps = { ...services, actor };
    await submitCredentials(deps, requestIdOf(call), credentials, { planDigest });
    return view(call);
  },
});

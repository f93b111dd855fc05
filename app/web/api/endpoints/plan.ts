import { credentialsInput } from "#app/domain/onboarding/index.server.ts";
import { planRequest } from "#app/domain/provisioning/index.server.ts";
import { planAnswer } from "../answers.ts";
import { endpoint } from "../endpoint.ts";
import { HOLDING, requestIdOf } from "./queue.ts";

export const plan = endpoint({
  method: "POST",
  path: "/api/queue/{requestId}/plan",
  scope: "queue:work",
  summary: "See what a run of this request would do to its project",
  description:
    "The exact steps and files, what is applied already, and the locks and rewrites on what exists. Nothing is kept, and nothing is written to the project. Body as for the credentials; without one, the project that the request has, or was offered.",
  body: credentialsInput,
  bodyOptional: true,
  answer: { status: 200, schema: planAnswer },
  problems: [...HOLDING, "credentials_refused", "plan_unavailable"],
  reachesOut: true,
  async handle(call) {
    const { services, actor, body } = call;
    return { plan: await planRequest({ ...services, actor }, requestIdOf(call), body ?? null) };
  },
});

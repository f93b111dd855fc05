import { credentialsInput } from "#app/domain/onboarding/index.server.ts";
import { rehearseRequest } from "#app/domain/provisioning/index.server.ts";
import { rehearsalAnswer } from "../answers.ts";
import { endpoint } from "../endpoint.ts";
import { HOLDING, requestIdOf } from "./queue.ts";

export const rehearse = endpoint({
  method: "POST",
  path: "/api/queue/{requestId}/rehearsal",
  scope: "queue:work",
  summary: "Run a request's plan to its last file, in a transaction that is always rolled back",
  description:
    "On the project itself while it has no rows (for 15 seconds at most), else on a scratch copy of its catalog, without rows. Files that cannot be rehearsed, such as those without a transaction, are listed with the reason. A failing file is an answer (`ok` is false), not a problem. The drift guard, the checks before a run and the steps that are no files are not part of it (`notPart`). Takes a minute at most, and keeps runs waiting for that long. One at a time for each request. Body as for the credentials; without one, the project that the request has, or was offered.",
  body: credentialsInput,
  bodyOptional: true,
  answer: { status: 200, schema: rehearsalAnswer },
  problems: [
    ...HOLDING,
    "credentials_refused",
    "answers_refused",
    "run_locked",
    "lock_timeout",
    "scratch_unavailable",
    "rehearsal_too_long",
    "rehearsal_busy",
    "database_refused",
    "database_connection_lost",
  ],
  reachesOut: true,
  async handle(call) {
    const { services, actor, body, request } = call;
    const deps = { ...services, actor };
    const given = body ?? null;
    return { rehearsal: await rehearseRequest(deps, requestIdOf(call), given, request.signal) };
  },
});

import { toldChecks } from "#app/domain/backends/index.server.ts";
import { credentialsInput } from "#app/domain/onboarding/index.server.ts";
import { checkCredentials } from "#app/domain/provisioning/index.server.ts";
import { connectionReport } from "../answers.ts";
import { endpoint } from "../endpoint.ts";

export const testSupabaseConnection = endpoint({
  method: "POST",
  path: "/api/test-supabase-connection",
  scope: "connections:test",
  summary: "Test the credentials of a Supabase project, line by line",
  description:
    "Nothing is kept and nothing is written to the project. Each line says what was found, what is needed and how to mend it. Either field takes a key of either generation.",
  body: credentialsInput,
  answer: { status: 200, schema: connectionReport },
  reachesOut: true,
  async handle({ services, actor, body }) {
    const { ok, checks } = await checkCredentials({ ...services, actor }, body);
    return { ok, checks: toldChecks(checks) };
  },
});

import { endSession } from "#app/integrations/postgres/run-context.ts";
import { type DatabaseSurvey, surveyDatabase } from "#app/integrations/postgres/survey.ts";
import { asActor } from "#db/index.ts";
import type { CredentialsDeps } from "./credentials.ts";
import { connectorTo } from "./customer-database.ts";
import { PlanUnavailableError } from "./errors.ts";
import { withExpectations } from "./expected.ts";
import { planRun, type RunPlan } from "./plan.ts";

/**
 * What a run with these features will do to a database, as it stands now. Looks at it over a
 * connection of its own, and writes nothing.
 * @throws PlanUnavailableError, UnknownTemplateError
 */
export async function planOn(
  deps: Omit<CredentialsDeps, "vault">,
  features: readonly string[],
  databaseUrl: string,
): Promise<RunPlan> {
  const survey = await surveyOf(deps, databaseUrl).catch((error: unknown) => {
    throw new PlanUnavailableError(error);
  });
  const plan = planRun(deps.catalog, features, survey);
  return asActor(deps.db, deps.actor, (tx) => withExpectations(tx, plan));
}

async function surveyOf(
  deps: Omit<CredentialsDeps, "vault">,
  databaseUrl: string,
): Promise<DatabaseSurvey> {
  const client = await connectorTo(deps, databaseUrl, { statementTimeoutMs: 15_000 })("berth plan");
  try {
    return await surveyDatabase(client);
  } finally {
    await endSession(client);
  }
}

/** How the demo's runs went, step by step. */
import { eq, sql } from "drizzle-orm";
import type { Catalog } from "#app/domain/catalog/index.server.ts";
import type { Lease } from "#app/domain/provisioning/lease.ts";
import { describeFailure } from "#app/domain/provisioning/report.ts";
import { type Step, stepsOf } from "#app/domain/provisioning/runs.ts";
import { DatabasePasswordError } from "#app/integrations/postgres/connect-errors.ts";
import { ConnectionLostError, SqlStepError } from "#app/integrations/postgres/run-errors.ts";
import type { Actor, Tx } from "#db/index.ts";
import { provisioningRuns, type StepError } from "#db/provisioning.ts";
import type { Act } from "./plot.ts";

/** What a worker does when it takes a run that nobody had. */
export async function takeLease(tx: Tx, actor: Actor, runId: string): Promise<void> {
  await tx
    .update(provisioningRuns)
    .set({
      status: "running",
      leaseOwner: actor.id,
      leaseToken: sql`nextval('fencing_tokens')`,
      leaseExpiresAt: sql`berth_now() + interval '5 seconds'`,
      startedAt: sql`berth_now()`,
    })
    .where(eq(provisioningRuns.id, runId));
}

async function leaseOf(tx: Tx, runId: string): Promise<Lease> {
  const [run] = await tx.select().from(provisioningRuns).where(eq(provisioningRuns.id, runId));
  if (!run) throw new Error("A run of the demo is missing.");
  return { run, token: run.leaseToken ?? 0 };
}

/** How long each kind of step takes, in shares of the run. */
const WEIGHT: Record<Step["kind"], number> = {
  preflight: 3,
  sql: 2,
  seed: 1,
  storage: 2,
  "auth-config": 6,
  owner: 2,
  health: 3,
};

const DONE: Record<Exclude<Step["kind"], "sql" | "seed">, object> = {
  preflight: { checks: 9 },
  storage: { outcome: "created" },
  "auth-config": {
    outcome: "configured",
    settings: ["sign-up closed", "e-mail sign-in on"],
  },
  owner: { outcome: "created" },
  health: { checks: 12 },
};

/** What a step says when it is done. */
function outcomeOf({ kind, template, file }: Step, catalog: Catalog): object {
  if (kind !== "sql" && kind !== "seed") return DONE[kind];
  const { migrations, seed } = catalog.get(template ?? "");
  const source = kind === "seed" ? seed : migrations.find(({ path }) => path === file);
  return { outcome: "applied", statements: source?.statements.length };
}

/** All steps done, from the run's start to now. */
export async function finishSteps(
  tx: Tx,
  actor: Actor,
  catalog: Catalog,
  runId: string,
): Promise<Lease> {
  const steps = await stepsOf(tx, runId);
  await writeSteps(tx, actor, catalog, runId, steps, null);
  return leaseOf(tx, runId);
}

/** The steps up to the one that failed, and that one's failure. */
export async function failSteps(
  tx: Tx,
  actor: Actor,
  catalog: Catalog,
  runId: string,
  of: Extract<Act, { name: "fail" }>["of"],
) {
  const steps = await stepsOf(tx, runId);
  const inventory = steps.findIndex((step) => step.template === "inventory" && step.kind === "sql");
  const index = of === "password" ? 0 : inventory;
  const failed = steps[index];
  if (!failed) throw new Error("A run of the demo has no step that could fail.");
  const error = describeFailure(failureOf(of, catalog));
  await writeSteps(tx, actor, catalog, runId, steps.slice(0, index + 1), error);
  return {
    lease: await leaseOf(tx, runId),
    failure: { step: failed.name, error, needsPerson: false },
  };
}

function failureOf(of: Extract<Act, { name: "fail" }>["of"], catalog: Catalog): Error {
  if (of === "password") return new DatabasePasswordError(null);
  if (of === "connection") return new ConnectionLostError(null);
  const [file] = catalog.get("inventory").migrations;
  const place = file?.statements.findIndex((one) =>
    one.sql.includes("create table public.products"),
  );
  const statement = file?.statements[place ?? -1];
  if (!file || place === undefined || !statement) throw new Error("Inventory has no products.");
  return new SqlStepError({
    sqlstate: "42P07",
    message: 'relation "products" already exists',
    file: file.path,
    line: statement.line,
    statement: place + 1,
  });
}

/** Writes how these steps went, one after the other from the run's start to now; the last may fail. */
async function writeSteps(
  tx: Tx,
  actor: Actor,
  catalog: Catalog,
  runId: string,
  steps: readonly Step[],
  error: StepError | null,
): Promise<void> {
  const total = steps.reduce((sum, step) => sum + WEIGHT[step.kind], 0);
  let before = 0;
  const rows = steps.map((step, index) => {
    const from = before / total;
    before += WEIGHT[step.kind];
    const failed = error !== null && index === steps.length - 1;
    return {
      id: step.id,
      from,
      to: before / total,
      status: failed ? "failed" : "done",
      outcome: failed ? null : outcomeOf(step, catalog),
      error: failed ? error : null,
    };
  });
  await tx.execute(sql`
    with run as (
      select started_at, berth_now() - started_at as took from provisioning_runs where id = ${runId}
    ), went as (
      update provisioning_steps step set
        status = new.status,
        attempts = 1,
        started_at = run.started_at + run.took * new.from,
        ended_at = run.started_at + run.took * new.to,
        duration_ms = round(extract(epoch from run.took * (new.to - new.from)) * 1000),
        outcome = new.outcome,
        error = new.error
      from run, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as new(id uuid, "from" float8, "to" float8, status text, outcome jsonb, error jsonb)
      where step.id = new.id
      returning step.id, step.name, step.position, new.status, new.error ->> 'code' as code
    )
    insert into audit_log (actor_kind, actor_id, correlation_id, action, subject_kind, subject_id, request_id, data)
    select ${actor.kind}, ${actor.id}, ${actor.correlationId}, 'step.' || went.status, 'step', went.id,
      run.request_id, jsonb_strip_nulls(jsonb_build_object('runId', run.id, 'name', went.name, 'code', went.code))
    from went, provisioning_runs run where run.id = ${runId}
    order by went.position`);
}

/** What a run has left everywhere, and how it differs from what a clean run leaves. */
import type pg from "pg";
import type { SandboxClient } from "./berth.ts";
import { type CatalogSnapshot, diffCatalogs, snapshotCatalog } from "./catalog.ts";
import { readEffects } from "./effects-log.ts";

export interface Evidence {
  request: { status: string; failure: unknown };
  run: { status: string; takeovers: number; error: unknown };
  /** Names of the last run's steps that are not done. */
  unfinishedSteps: string[];
  /** Names of the steps whose effect was there before the attempt that ended well. */
  foundDone: string[];
  /** How often each act that may happen once was recorded: steps by name, then run and request. */
  records: Record<string, number>;
  /** Writing calls that the customer's project has answered well, by route. */
  effects: Record<string, number>;
  /** How often each command that makes or changes an object took effect. */
  commands: Record<string, number>;
  /** The customer's database. */
  catalog: CatalogSnapshot;
  /** Its server's databases: a scratch copy must be gone. */
  databases: string[];
  invalidIndexes: string[];
  /** Rows of `berth.unfinished`. */
  unfinishedVersions: string[];
}

/** Reads all of it; call it when the request is completed or failed. */
export async function gatherEvidence(from: {
  db: pg.Pool;
  sandbox: SandboxClient;
  customer: pg.Client;
  run: { requestId: string; project: { ref: string } };
}): Promise<Evidence> {
  const { db, customer } = from;
  const { requestId, project } = from.run;
  const rows = async <Row extends pg.QueryResultRow>(sql: string) =>
    (await db.query<Row>(sql, [requestId])).rows;
  const names = async (sql: string) =>
    (await customer.query<{ name: string }>(sql)).rows.map(({ name }) => name);

  const [request] = await rows<Evidence["request"]>(
    "select status, failure from provisioning_queue where id = $1",
  );
  const [run] = await rows<Evidence["run"]>(
    "select status, takeovers, error from provisioning_runs where request_id = $1 order by id desc",
  );
  if (!request || !run) throw new Error(`${requestId} has no run.`);
  const unfinished = await rows<{ name: string }>(
    `select name from provisioning_steps where status <> 'done' and run_id = (
       select id from provisioning_runs where request_id = $1 order by id desc limit 1)
     order by position`,
  );
  const foundDone = await rows<{ name: string }>(
    `select s.name from provisioning_steps s join provisioning_runs r on r.id = s.run_id
     where r.request_id = $1 and s.outcome ->> 'outcome' like 'already%' order by s.position`,
  );
  const recorded = await rows<{ name: string; times: number }>(
    `select coalesce('step ' || (data ->> 'name'), '') || ' ' || action as name, count(*)::int as times
     from audit_log where request_id = $1
       and action in ('step.done', 'run.create', 'run.start', 'run.succeeded', 'request.completed')
     group by 1
     union all
     select 'mail ' || kind, count(*)::int from outbox where request_id::text = $1 group by 1
     union all
     select 'event ' || kind, count(*)::int from request_events where request_id::text = $1 group by 1
     union all
     select 'link ' || purpose, count(*)::int from one_time_links where request_id::text = $1 group by 1`,
  );
  const { body } = await from.sandbox.call("GET", `/sandbox/projects/${project.ref}/calls`);
  return {
    request,
    run,
    unfinishedSteps: unfinished.map(({ name }) => name),
    foundDone: foundDone.map(({ name }) => name),
    records: Object.fromEntries(recorded.map(({ name, times }) => [name, times])),
    effects: body.effects,
    commands: await readEffects(customer),
    catalog: await builtCatalog(customer),
    databases: await names("select datname as name from pg_database order by 1"),
    invalidIndexes: await names(
      "select indexrelid::regclass::text as name from pg_index where not indisvalid",
    ),
    unfinishedVersions: await names("select version as name from berth.unfinished"),
  };
}

/** What a run leaves: without the rows that a worker's due work takes away or makes right after it. */
async function builtCatalog(customer: pg.Client) {
  const catalog = await snapshotCatalog(customer, { rowCounts: ["public", "auth"] });
  for (const table of ["public.kpi_changes", "public.kpi_snapshots"]) {
    delete catalog["row counts"]?.[table];
  }
  return catalog;
}

/**
 * What Berth has recorded, held against the customer's ledger, at any moment of a run: a step that
 * counts as done and is not in the ledger is a false success, and nothing is in the ledger before
 * its turn. One line per step that is wrong.
 */
export async function falseRecords(from: {
  db: pg.Pool;
  customer: pg.Client;
  requestId: string;
}): Promise<string[]> {
  const { db, customer, requestId } = from;
  const steps = async () => {
    const { rows } = await db.query<{ key: string; status: string }>(
      `select case s.kind when 'seed' then 'seed:' || s.template else s.ledger_version end as key,
         s.status
       from provisioning_steps s join provisioning_runs r on r.id = s.run_id
       where s.kind in ('sql', 'seed') and r.id = (
         select id from provisioning_runs where request_id = $1 order by id desc limit 1)`,
      [requestId],
    );
    return rows;
  };
  // In this order each half is judged by an older look than the other: what is right stays right.
  const before = await steps();
  const { rows: made } = await customer.query(
    "select to_regclass('berth.ledger') is not null as there",
  );
  const { rows } = made[0].there
    ? await customer.query<{ version: string }>("select version from berth.ledger")
    : { rows: [] };
  const ledger = new Set(rows.map(({ version }) => version));
  const after = await steps();
  return [
    ...before
      .filter(({ key, status }) => status === "done" && !ledger.has(key))
      .map(({ key }) => `a false success: ${key} counts as done, and is not in the ledger`),
    ...after
      .filter(({ key, status }) => status === "pending" && ledger.has(key))
      .map(({ key }) => `${key} is in the ledger before its turn`),
  ];
}

/** One line per thing that is wrong with a run whose worker was struck; empty when all is right. */
export function defectsOf(found: Evidence, clean: Evidence): string[] {
  const { request, run } = found;
  const defects: string[] = [];
  if (request.status !== "completed") {
    defects.push(`the request is ${request.status}: ${JSON.stringify(request.failure)}`);
  }
  if (run.status !== "succeeded") defects.push(`the run is ${run.status}`);
  if (run.error !== null) defects.push(`the run has an error: ${JSON.stringify(run.error)}`);
  for (const step of found.unfinishedSteps) defects.push(`not done: ${step}`);
  for (const index of found.invalidIndexes) defects.push(`invalid: ${index}`);
  for (const version of found.unfinishedVersions) defects.push(`unfinished: ${version}`);
  return [
    ...defects,
    ...diffCounts("recorded", found.records, clean.records),
    ...diffCounts("effect", found.effects, clean.effects),
    ...fewOf(diffCounts("took effect:", found.commands, clean.commands)),
    ...found.databases
      .filter((name) => !clean.databases.includes(name))
      .map((name) => `left over: database ${name}`),
    ...fewOf(diffCatalogs(clean.catalog, found.catalog)),
  ];
}

/** A run that stopped early lacks hundreds of objects: the first ones say it. */
function fewOf(lines: string[]): string[] {
  const rest = lines.length - 10;
  return rest > 0 ? [...lines.slice(0, 10), `and ${rest} more differences`] : lines;
}

function diffCounts(
  what: string,
  found: Record<string, number>,
  clean: Record<string, number>,
): string[] {
  const names = new Set([...Object.keys(found), ...Object.keys(clean)]);
  return [...names]
    .filter((name) => found[name] !== clean[name])
    .map((name) => `${what} ${name}: ${found[name] ?? 0} instead of ${clean[name] ?? 0}`);
}

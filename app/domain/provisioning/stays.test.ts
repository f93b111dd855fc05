/** What is said to stay in a project when its request is closed, however often it was run. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import { lockRequest } from "../queue/index.server.ts";
import { cancelRequest, retryRequest } from "./commands.ts";
import { runsOf } from "./run-report.ts";
import { startRun } from "./runs.ts";
import { linesOf, staysOf } from "./stays.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

const context = <T>(
  work: (given: { tx: Parameters<Parameters<Desk["as"]>[1]>[0]; actor: Desk["kim"] }) => Promise<T>,
) => desk.as(desk.kim, (tx) => work({ tx, actor: desk.kim }));

let projects = 0;

const newBackend = (id: string, projectRef: string) =>
  desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     select gen_random_uuid(), customer_id, id, $2, 'https://x', 'building'
     from provisioning_queue where id = $1`,
    [id, projectRef],
  );

/** A failed request with a backend of its own, and a run of which no step has begun. */
async function failedRequest() {
  projects += 1;
  const { id } = await desk.request();
  await newBackend(id, `stays${projects}`);
  await desk.plant(id, { status: "migrating", assignee_id: "kim" });
  await context(async ({ tx, actor }) => {
    const backend = await liveBackendOf(tx, id);
    if (!backend) throw new Error("There is no backend.");
    await startRun({ tx, actor }, desk.catalog, await lockRequest(tx, id), backend);
  });
  await ended(id);
  return id;
}

/** Ends the open run, and lets its request stand as failed. */
async function ended(id: string) {
  await desk.base.admin.query(
    "update provisioning_runs set status = 'failed' where request_id = $1 and status = 'queued'",
    [id],
  );
  await desk.plant(id, { status: "failed", failure: { code: "x", message: "x" } });
}

/** Sets steps of a request's newest run. */
const plant = (id: string, columns: string, which: string, attempts = 1) =>
  desk.base.admin.query(
    `update provisioning_steps set attempts = ${attempts}, ${columns}
     where run_id = (select id from provisioning_runs where request_id = $1 order by id desc limit 1)
       and ${which}`,
    [id],
  );
const stays = (id: string) => context(async ({ tx }) => staysOf(tx, await lockRequest(tx, id)));

it("nothing stays where no step has begun, and nothing is said where the request goes on", async () => {
  const id = await failedRequest();
  expect(await stays(id)).toEqual([]);
  await plant(id, "status = 'done'", "kind = 'preflight'");
  expect(await stays(id)).toMatchObject([{ ledger: true, applied: [] }]);
  await desk.plant(id, { status: "in_progress" });
  expect(await stays(id)).toBeNull();
  const { id: untouched } = await desk.request();
  expect(await stays(untouched)).toBeNull();
});

it("it is what all runs did in the project, each thing once, and what nobody knows", async () => {
  const id = await failedRequest();
  await plant(id, "status = 'done'", "kind = 'preflight'");
  await plant(id, "status = 'done'", "kind = 'sql' and template = 'base'");
  await plant(
    id,
    `status = 'pending', outcome = '{"outcome":"unknown"}'`,
    "kind = 'seed' and template = 'base'",
  );
  const failed = `status = 'failed', error = '{"code":"step_outcome_unknown","message":"x"}'`;
  await plant(
    id,
    failed,
    "kind = 'sql' and template = 'pos' and file like '%registers_and_sales%'",
  );
  await context(({ tx, actor }) => retryRequest({ tx, actor }, desk.catalog, id));
  await ended(id);
  // The second run finds what the first did, learns what was not known, and stops half-way.
  await plant(
    id,
    `status = 'done', outcome = '{"outcome":"already_applied"}'`,
    "template = 'base'",
  );
  await plant(
    id,
    `status = 'pending', outcome = '{"outcome":"unfinished"}'`,
    "file like '%name_index%'",
  );
  await plant(id, "status = 'done'", "kind = 'auth-config'");
  await plant(id, `status = 'pending', outcome = '{"outcome":"unknown"}'`, "kind = 'owner'");

  const base = desk.catalog.get("base");
  const found = await stays(id);
  expect(found).toEqual([
    {
      projectRef: `stays${projects}`,
      applied: ["schema", "policies"].flatMap((phase) =>
        base.migrations
          .filter((file) => file.phase === phase)
          .map(({ version, path }) => ({ version, template: "base", file: path })),
      ),
      seeds: [{ template: "base", file: base.seed?.path }],
      ownerAccount: false,
      buckets: base.storage.map(({ bucket }) => bucket),
      authSettings: true,
      ledger: true,
      unfinished: [expect.stringContaining("product_name_index")],
      unknown: [expect.stringContaining("registers and sales"), "Owner account"],
    },
  ]);
  expect((await context(({ tx }) => runsOf(tx, id))).length).toBe(2);

  if (!found) throw new Error("Nothing stays.");
  const lines = linesOf(found);
  await context(({ tx, actor }) => cancelRequest({ tx, actor }, id));
  expect(await stays(id)).toEqual(found);
  const told = { projectRef: `stays${projects}`, stays: lines };
  const { rows: events } = await desk.base.admin.query(
    "select data from request_events where request_id = $1 and kind = 'cancelled'",
    [id],
  );
  expect(events).toEqual([{ data: told }]);
  const { rows: records } = await desk.base.admin.query(
    "select data from audit_log where request_id = $1 and action = 'request.cancelled'",
    [id],
  );
  expect(records).toEqual([{ data: { ...told, from: "failed", to: "cancelled" } }]);
});

it("a project given up for other credentials is listed too, each line under its own", async () => {
  const id = await failedRequest();
  const first = `stays${projects}`;
  await plant(id, "status = 'done'", "kind = 'preflight'");
  await desk.base.admin.query(
    "update customer_backends set status = 'retired' where request_id = $1",
    [id],
  );
  await newBackend(id, `${first}other`);
  await context(({ tx, actor }) => retryRequest({ tx, actor }, desk.catalog, id));
  await ended(id);
  expect(await stays(id)).toMatchObject([{ projectRef: first }]);
  await plant(id, "status = 'done'", "kind = 'auth-config'");
  const silent = `status = 'failed', error = '{"code":"outbound_timeout","message":"x"}'`;
  await plant(id, silent, "kind = 'owner'");
  const found = (await stays(id)) ?? [];
  expect(found).toMatchObject([
    { projectRef: first, ledger: true, authSettings: false },
    { projectRef: `${first}other`, ledger: false, authSettings: true },
  ]);
  expect(linesOf(found)).toEqual([
    `${first}: the ledger: schemas berth and supabase_migrations`,
    `${first}other: the sign-in settings that the templates ask for`,
    `${first}other: perhaps the effect of “Owner account”`,
  ]);
});

it("what nobody knows stays unknown until a run has found out, not until one could not connect", async () => {
  const id = await failedRequest();
  const seedOf = (template: string) => `kind = 'seed' and template = '${template}'`;
  const error = (code: string) => `status = 'failed', error = '{"code":"${code}","message":"x"}'`;
  // Left by a run that ended outside its steps, and taken over by one that could not connect.
  await plant(id, "status = 'running'", seedOf("base"));
  await plant(id, error("database_password"), seedOf("pos"), 2);
  await plant(id, "status = 'running'", "kind = 'health'");
  const unknown = async () => (await stays(id))?.flatMap((project) => project.unknown);
  const both = [expect.stringContaining("seed"), expect.stringContaining("seed")];
  expect(await unknown()).toEqual(both);
  const again = async () => {
    await context(({ tx, actor }) => retryRequest({ tx, actor }, desk.catalog, id));
    await ended(id);
  };
  await again();
  await plant(id, error("database_connection_lost"), "kind = 'seed'");
  expect(await unknown()).toEqual(both);
  await again();
  // It asked the ledger first.
  await plant(id, error("sql_step_failed"), "kind = 'seed'", 2);
  expect(await unknown()).toEqual([]);
});

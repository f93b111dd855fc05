/** A Berth with newer templates, and databases in which people have worked with the older ones. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesFor, loadCatalog } from "#app/domain/catalog/index.server.ts";
import { act, call } from "../../feature-templates/acting.ts";
import type { Local } from "../../scripts/local/start-local.ts";
import { ask, copyStarted, dropDataDir, newDataDir } from "../support/berth-stock.ts";
import {
  type Business,
  connectTo,
  contents,
  createAccount,
  openBusiness,
} from "../support/business.ts";
import { writeReleased } from "../support/released-templates.ts";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  newCustomer,
  type SandboxProject,
  settled,
  talkTo,
} from "../support/shared-berth.ts";
import { startThrowaway } from "../support/throwaway.ts";

let older: string;
let dataDir: string;
let local: Local;
let berth: ReturnType<typeof talkTo>;

/** Starts Berth where it stood, with these templates. */
async function start(templates?: string): Promise<void> {
  const env: Record<string, string> = templates ? { FEATURE_TEMPLATES_DIR: templates } : {};
  local = await startThrowaway(dataDir, { env: { web: env, worker: env } });
  berth = talkTo(local.info);
}

beforeAll(async () => {
  older = await mkdtemp(path.join(tmpdir(), "berth-released-"));
  await writeReleased(older, "1.0.0");
  dataDir = await newDataDir();
  const template = await ask("template");
  if (template) await copyStarted(template, dataDir);
  await start(older);
});
afterAll(async () => {
  await local?.stop();
  await dropDataDir(dataDir);
  await rm(older, { recursive: true, force: true });
});

type Contents = Awaited<ReturnType<typeof contents>>;

interface Shop {
  features: string[];
  email: string;
  ref: string;
  business: Business;
  before: Contents;
}
const shops: Shop[] = [];

/** One template above what it needs, and all of them together. */
const SETS = [[], ["inventory"], ["pos"], ["analytics"], ["pos", "analytics"]];

async function build(features: string[], email: string, project: SandboxProject) {
  const id = await claimedRequest(berth.api, { features, email, company: `Shop ${Math.random()}` });
  const given = await berth.api("POST", `/api/queue/${id}/credentials`, credentialsOf(project));
  expect([given.status, given.body.checks ?? given.body.detail]).toEqual([200, undefined]);
  const request = await settled(berth.api, id);
  expect(request.failure).toBeNull();
  expect(request.run.status).toBe("succeeded");
  return request;
}

describe("databases in which people have worked", () => {
  it.each(SETS.map((features) => ({ features })))(
    "are built as released: $features",
    async ({ features }) => {
      const { email } = newCustomer();
      const project = await berth.sandbox.project();
      const { run } = await build(features, email, project);
      expect(new Set(Object.values(run.templates))).toEqual(new Set(["1.0.0"]));
      const client = await connectTo(project);
      try {
        const business = await openBusiness(client, () => createAccount(project));
        const before = await contents(client);
        shops.push({ features, email, ref: project.ref, business, before });
      } finally {
        await client.end();
      }
    },
  );

  it("are left to a Berth with newer templates", async () => {
    await local.stop();
    await start();
    const own = new pg.Client({ connectionString: local.info.databaseUrl });
    await own.connect();
    // A project has one live backend: the older one's request gives it up.
    const { rowCount } = await own.query(
      "update customer_backends set status = 'retired', retired_at = now() where status = 'ready' and project_ref = any($1)",
      [shops.map(({ ref }) => ref)],
    );
    await own.end();
    expect(rowCount).toBe(SETS.length);
  });

  it.each(SETS.map((features, index) => ({ features, index })))(
    "lose nothing by the upgrade: $features",
    async ({ features, index }) => {
      const shop = shops[index] as Shop;
      const { body } = await berth.sandbox.call("GET", `/sandbox/projects/${shop.ref}`);
      const project = body as SandboxProject;
      const { run, backend } = await build(features, shop.email, project);
      const catalog = await loadCatalog("feature-templates");
      const templates = catalog.order(features);
      const versions = Object.fromEntries(templates.map(({ name, version }) => [name, version]));
      expect(run.templates).toEqual(versions);
      expect(backend).toMatchObject({ projectRef: shop.ref, status: "ready" });

      const client = await connectTo(project);
      try {
        // Only the new files were applied.
        const files = templates.flatMap((template) => filesFor(template, templates));
        const released = (await loadCatalog(older)).templates.flatMap((one) => one.migrations);
        const old = new Set(released.map(({ version }) => version));
        const applied = run.steps.filter(
          (step: { kind: string; outcome: { outcome: string } }) =>
            step.kind === "sql" && step.outcome.outcome === "applied",
        );
        expect(applied).toHaveLength(files.filter(({ version }) => !old.has(version)).length);
        expect(run.steps[0].outcome).toMatchObject({ drift: "none" });

        const after = await contents(client);
        expect(differences(shop.before, after)).toEqual([]);

        const { rows: both } = await client.query(
          `select s.version, l.checksum from supabase_migrations.schema_migrations s
           full join (select * from berth.ledger where version not like 'seed:%') l using (version) order by 1`,
        );
        const wanted = files.map(({ version, checksum }) => ({ version, checksum }));
        expect(both).toEqual(wanted.sort((a, b) => (a.version < b.version ? -1 : 1)));
        await workOn(client, shop);
        if (features.includes("analytics")) await dueWorkDone(shop.ref);
      } finally {
        await client.end();
      }
    },
  );
});

/** A worker has done what the templates have due, and knows when it is due again. */
async function dueWorkDone(ref: string): Promise<void> {
  const own = new pg.Client({ connectionString: local.info.databaseUrl });
  await own.connect();
  try {
    await eventually(`due work in ${ref}`, async () => {
      const { rows } = await own.query(
        `select b.due_failures as failures, extract(epoch from b.due_at - now()) as wait
         from customer_backends b join audit_log a on a.subject_id = b.id::text
         where b.project_ref = $1 and b.status = 'ready'
           and a.action = 'secret.use' and a.data ->> 'purpose' = 'due'`,
        [ref],
      );
      expect(rows[0]?.failures ?? 0).toBe(0);
      // Five minutes are the time for which a worker holds it.
      return rows[0] && rows[0].wait > 0 && Math.abs(rows[0].wait - 270) > 40;
    });
  } finally {
    await own.end();
  }
}

/** Every column of every row that is not as it was, or no longer there. */
function differences(before: Contents, after: Contents): string[] {
  const lost: string[] = [];
  for (const [table, rows] of before) {
    for (const [key, row] of rows) {
      const now = after.get(table)?.get(key);
      for (const [column, value] of Object.entries(row)) {
        // The upgrade writes what the stock has cost beside it, and says when.
        if (table === "stock_levels" && column === "updated_at" && now) continue;
        if (now?.[column] === value) continue;
        lost.push(`${table} ${key} ${column}: ${value} → ${now?.[column]}`);
      }
    }
  }
  return lost;
}

/** What people did before, they can do again, with the same words. */
async function workOn(client: pg.Client, { business, features }: Shop): Promise<void> {
  const { people, product, sale, sold } = business;
  const own = await act(client, people.viewer, "select name from public.company_settings");
  expect(own.rows).toEqual([{ name: "Rope & Sail" }]);
  if (product) {
    const level = async () => {
      const { rows } = await act(
        client,
        people.viewer,
        "select sum(quantity)::float8 as quantity from public.stock_levels where product_id = $1",
        [product],
      );
      return rows[0]?.quantity as number;
    };
    const before = await level();
    await act(
      client,
      people.staff,
      `insert into public.stock_movements (product_id, location_id, kind, quantity)
       select $1, id, 'receipt', 5 from public.locations where code = 'MAIN'`,
      [product],
    );
    expect(await level()).toBe(before + 5);
  }
  if (sale) {
    // The same token answers what it answered then; another one sells.
    expect(await call(client, people.staff, "complete_sale", sale)).toMatchObject(sold as object);
    const again = { ...sale, client_token: crypto.randomUUID() };
    expect(await call(client, people.staff, "complete_sale", again)).toMatchObject({
      receipt_number: 3,
    });
  }
  if (features.includes("analytics")) {
    const { rows } = await act(client, people.viewer, "select name from public.reports order by 1");
    expect(rows).toContainEqual({ name: "Ours" });
  }
}

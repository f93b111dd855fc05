import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesFor, loadCatalog } from "#app/domain/catalog/index.server.ts";
import { diffCatalogs, snapshotCatalog } from "../tests/support/catalog.ts";
import { act, call, createPeople, type People } from "./acting.ts";
import { equip, type Office } from "./analytics-company.ts";
import { applySeeds, applyTemplates, failedChecks, type ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

/** A company as 1.0.0 left it. */
async function oldOffice(names: string[]): Promise<Office> {
  const client = await server.createDatabase("2026-10");
  const templates = await applyTemplates(client, names, { at: "1.0.0" });
  const people = await createPeople(client, await server.connectAsAuth(client));
  return equip(server, client, templates, people);
}

const record = (client: pg.Client, people: People, key: string, day: string, value: number) =>
  call(client, people.staff, "record_kpi_snapshot", { kpi_key: key, day, value });

describe("an upgrade from 1.0.0", () => {
  it("keeps figures, values and reports, and every report can be run", async () => {
    const office = await oldOffice(["analytics"]);
    const { client, people } = office;
    const key = await office.kpi();
    await record(client, people, key, "2026-01-01", 3);
    await record(client, people, "revenue", "2026-01-01", 70);
    // What 1.0.0 let screens put into a definition, and 1.1.0 would not.
    const loose = {
      kpis: [key, 7, { of: "x" }, "No key"],
      period: "this_year",
      chart: "bar",
      group_by: "colour",
      filters: ["none"],
      parameters: [1],
      from: "soon",
    };
    const odd = await office.report(people.staff, loose, true);
    const plain = await office.report(people.manager, { kpis: [key], period: "last_month" });
    const tables = ["kpis", "kpi_snapshots", "reports"] as const;
    const everything = async () => {
      const found = [];
      for (const table of tables) {
        found.push(
          await office.rows(`select to_jsonb(t) - array['source', 'numerator', 'denominator'] as row
                             from public.${table} t order by t.id`),
        );
      }
      return found;
    };
    const before = await everything();

    const templates = await applyTemplates(client, ["analytics"], { after: "1.0.0" });
    expect(await failedChecks(client, templates)).toEqual([]);
    expect(await everything()).toEqual(before);

    const asked = { report_id: odd };
    expect(await call(client, people.viewer, "run_report", asked)).toMatchObject([{ kpi: key }]);
    expect(await call(client, people.manager, "run_report", { report_id: plain })).toMatchObject([
      { kpi: key, value: null },
    ]);
    await expect(
      call(client, people.viewer, "run_report", { ...asked, parameters: { x: 1 } }),
    ).rejects.toMatchObject({ code: "22023" });
    // It may be renamed as it is; what is changed in it must be right.
    const rename = "update public.reports set name = 'Odd', definition = $2 where id = $1";
    await act(client, people.staff, rename, [odd, loose]);
    await expect(
      act(client, people.staff, rename, [odd, { ...loose, chart: "line" }]),
    ).rejects.toMatchObject({ code: "23514" });
    // Nothing computes its figures here, so they are recorded by hand as before.
    await record(client, people, "revenue", "2026-01-01", 71);
    await client.end();
  });

  it("counts what was sold before, beside what was recorded by hand", async () => {
    const names = ["pos", "analytics"];
    const office = await oldOffice(names);
    const { client, people } = office;
    const product = await act<{ id: string }>(
      client,
      people.manager,
      "insert into public.products (sku, name, price) values ('ROPE', 'Rope', 10) returning id",
    );
    const id = product.rows[0]?.id;
    await client.query(
      `insert into public.stock_movements (product_id, location_id, kind, quantity, unit_cost, currency)
       values ($1, $2, 'receipt', 50, 4, 'EUR')`,
      [id, office.location],
    );
    const register = await office.one(
      "insert into public.registers (location_id, code, name) values ($1, 'T', 'Till') returning id",
      [office.location],
    );
    const session = await call(client, people.staff, "open_register", {
      register_id: register,
      opening_cash: 0,
    });
    const sell = () =>
      call(client, people.staff, "complete_sale", {
        client_token: randomUUID(),
        session_id: session,
        lines: [{ product_id: id, quantity: 1 }],
        payments: [{ method: "card", amount: 10 }],
      });
    for (let n = 0; n < 3; n += 1) await sell();
    const today = await office.one("select (now() at time zone 'UTC')::date::text");
    await record(client, people, "sales_count", today, 33);

    const templates = await applyTemplates(client, names, { after: "1.0.0" });
    expect(await failedChecks(client, templates)).toEqual([]);
    await sell();
    const { rows } = await client.query("select * from private.run_due()");
    expect(rows).toEqual([{ produced: 0, next_due_at: null }]);
    const values = await office.rows(
      `select k.key, s.value::float, s.source from public.kpi_snapshots s
       join public.kpis k on k.id = s.kpi_id where s.location_id is null and s.day = $1 order by 1`,
      [today],
    );
    expect(values).toEqual([
      { key: "average_sale", value: 10, source: "pos" },
      // Of the sales of 1.0.0 the cost of goods is not known.
      { key: "gross_margin", value: 60, source: "pos" },
      { key: "refunds", value: 0, source: "pos" },
      { key: "revenue", value: 40, source: "pos" },
      { key: "sales_count", value: 33, source: null },
      { key: "stock_value", value: 184, source: "inventory" },
    ]);
    await client.end();
  });

  it("leaves a company's own figure alone, whatever its key is", async () => {
    const names = ["pos", "analytics"];
    const office = await oldOffice(names);
    const { client, people } = office;
    await act(
      client,
      people.manager,
      "insert into public.kpis (key, name, unit) values ('refunds', 'Number of refunds', 'count'), ('pos_refunds', 'Mine too', 'count')",
    );
    // Theirs as well: the same key, and another meaning.
    await act(
      client,
      people.manager,
      "update public.kpis set aggregation = 'last' where key = 'revenue'",
    );
    await record(client, people, "refunds", "2026-01-01", 3);
    const own = () =>
      office.rows(
        "select * from public.kpis where key in ('refunds', 'pos_refunds', 'revenue') order by key",
      );
    const before = await own();
    const templates = await applyTemplates(client, names, { after: "1.0.0" });
    expect(await failedChecks(client, templates)).toEqual([]);
    expect(await own()).toEqual(before);
    await record(client, people, "refunds", "2026-01-02", 4);
    await record(client, people, "revenue", "2026-01-02", 5);
    expect(
      await office.rows(
        `select k.key, c.measure from public.kpis k
         join public.kpi_computations c on c.kpi_id = k.id order by 1`,
      ),
    ).toEqual([
      { key: "average_sale", measure: "average_sale" },
      { key: "gross_margin", measure: "gross_margin" },
      { key: "pos_refunds_2", measure: "refunds" },
      { key: "pos_revenue", measure: "revenue" },
      { key: "sales_count", measure: "sales_count" },
      { key: "stock_value", measure: "stock_value" },
    ]);
    await client.end();
  });

  it("ends up as a fresh installation does", async () => {
    const names = ["pos", "analytics"];
    const old = await server.createDatabase("2026-10");
    await applyTemplates(old, names, { at: "1.0.0" });
    await applyTemplates(old, names, { after: "1.0.0" });
    const fresh = await server.createDatabase("2026-10");
    await applyTemplates(fresh, names);
    // Of what was set up before activity was recorded there is no record.
    const catalog = (of: pg.Client) => snapshotCatalog(of, { rowCounts: [] });
    expect(diffCatalogs(await catalog(fresh), await catalog(old))).toEqual([]);
    for (const each of [old, fresh]) await each.end();
  });

  it("takes sales and stock along when they come later", async () => {
    const office = await oldOffice(["analytics"]);
    const { client } = office;
    const first = await applyTemplates(client, ["analytics"], { after: "1.0.0" });
    expect(await failedChecks(client, first)).toEqual([]);
    const templates = await applyLater(client, first);
    expect(await failedChecks(client, templates)).toEqual([]);
    expect(await office.one("select count(*) from public.kpi_computations")).toBe("6");
    await client.end();
  });
});

/** The files of the tills, and those of analytics that serve them, on a backend without them. */
async function applyLater(client: pg.Client, present: { migrations: { version: string }[] }[]) {
  const applied = new Set(present.flatMap(({ migrations }) => migrations.map((m) => m.version)));
  const templates = (await loadCatalog(import.meta.dirname)).order(["pos", "analytics"]);
  const files = templates
    .flatMap((template) => filesFor(template, templates))
    .filter(({ version, when }) => when !== null || !applied.has(version));
  for (const phase of ["schema", "policies"]) {
    for (const file of files) if (file.phase === phase) await client.query(file.sql);
  }
  await applySeeds(client, templates);
  return templates;
}

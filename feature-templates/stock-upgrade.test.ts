import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesFor, loadCatalog } from "#app/domain/catalog/index.server.ts";
import { privileges } from "../scripts/templates/privileges.ts";
import { diffCatalogs, snapshotCatalog } from "../tests/support/catalog.ts";
import { act, call, createPeople, type People } from "./acting.ts";
import {
  applySeeds,
  applyTemplates,
  failedChecks,
  grantModes,
  type ProjectServer,
} from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

const names = ["inventory"];

/** A company as 1.0.0 knows it, with stock that came, went, moved and was counted. */
async function workWithRelease(client: pg.Client, people: People) {
  const { manager, staff } = people;
  const one = async (sql: string, values: unknown[] = []) =>
    (await client.query({ text: sql, values, rowMode: "array" })).rows[0]?.[0] as string;
  const product = async (sku: string, facts = "false") =>
    one(
      `insert into public.products (sku, name, price, allow_oversell)
       values ($1, $1, 10, ${facts}) returning id`,
      [sku],
    );
  const shop = await one("select id from public.locations");
  const depot = await one(
    "insert into public.locations (code, name) values ('DEPOT', 'Depot') returning id",
  );
  const move = (product: string, at: string, kind: string, quantity: number, ...cost: unknown[]) =>
    act(
      client,
      manager,
      `insert into public.stock_movements
         (product_id, location_id, kind, quantity, unit_cost, currency)
       values ($1, $2, $3, $4, $5, $6)`,
      [product, at, kind, quantity, cost[0] ?? null, cost[1] ?? null],
    );
  const transfer = (product_id: string, quantity: number, from = depot, to = shop) =>
    call(client, staff, "transfer_stock", {
      transfer_id: randomUUID(),
      product_id,
      from_location_id: from,
      to_location_id: to,
      quantity,
    });

  const rope = await product("ROPE");
  await move(rope, depot, "receipt", 10, 2, "EUR");
  await move(rope, depot, "receipt", 30, 4, "EUR");
  await transfer(rope, 8);
  await move(rope, depot, "receipt", 8, 1.5, "EUR");
  await move(rope, shop, "issue", -3);
  await move(rope, depot, "receipt", 1, 1000, "USD");
  // There and back: one of the two ids is the lower one, so both orders of the rows are tried.
  await transfer(rope, 1, shop, depot);
  await transfer(rope, 1);

  const sail = await product("SAIL");
  await move(sail, shop, "receipt", 4);
  const lax = await product("LAX", "true");
  await move(lax, shop, "receipt", 1, 9, "EUR");
  await move(lax, shop, "issue", -3);
  const mast = await product("MAST");
  await move(mast, shop, "receipt", 2, 50, "USD");
  const counted = { product_id: sail, location_id: shop, counted: 3 };
  await call(client, manager, "count_stock", counted);
  const low = `update public.stock_levels set reorder_point = $2
    where product_id = $1 and location_id = $3`;
  await act(client, manager, low, [sail, 3, shop]);
  await act(client, manager, low, [rope, 1, shop]);
  return { rope, sail, lax, mast, shop, depot };
}

const rowsOf = async (client: pg.Client, sql: string) => (await client.query(sql)).rows;

describe.each(grantModes)("an upgrade from 1.0.0 (%s)", (mode) => {
  it("loses nothing, values what is there, and goes on from there", async () => {
    const client = await server.createDatabase(mode);
    await applyTemplates(client, names, { at: "1.0.0" });
    const people = await createPeople(client, await server.connectAsAuth(client));
    const { rope, sail, lax, mast, shop, depot } = await workWithRelease(client, people);
    const kept = [
      `select id, product_id, location_id, kind, quantity, unit_cost, currency, source_id, note,
         occurred_at, created_at, created_by from public.stock_movements order by id`,
      `select product_id, location_id, quantity, reorder_point, reorder_quantity, created_at
       from public.stock_levels order by 1, 2`,
      `select id, sku, name, price, currency, unit_code, allow_oversell, created_at, updated_at
       from public.products order by id`,
      "select * from public.categories order by id",
      "select * from public.units order by code",
    ];
    const before = [];
    for (const sql of kept) before.push(await rowsOf(client, sql));

    const templates = await applyTemplates(client, names, { after: "1.0.0" });
    for (const [index, sql] of kept.entries()) {
      expect(await rowsOf(client, sql)).toEqual(before[index]);
    }
    expect(await failedChecks(client, templates)).toEqual([]);
    const levels = async () =>
      Object.fromEntries(
        (
          await act(
            client,
            people.viewer,
            `select product_id || ' ' || location_id as level, v.quantity::float, v.average_cost::float as cost,
               v.currency
             from public.stock_valuation v`,
          )
        ).rows.map(({ level, ...facts }) => [level, facts]),
      );
    const eur = { currency: "EUR" };
    expect(await levels()).toEqual({
      // 10 at 2 and 30 at 4 make 3.5, of which 8 went over; then 8 came at 1.5, and one in dollars.
      [`${rope} ${depot}`]: { quantity: 41, cost: 3.109524, ...eur },
      [`${rope} ${shop}`]: { quantity: 5, cost: 3.421905, ...eur },
      [`${sail} ${shop}`]: { quantity: 3, cost: null, currency: null },
      [`${mast} ${shop}`]: { quantity: 2, cost: null, currency: null },
      [`${lax} ${shop}`]: { quantity: -2, cost: 9, ...eur },
    });
    const alerts = "select product_id, quantity::float from public.low_stock_alerts";
    expect(await rowsOf(client, alerts)).toEqual([{ product_id: sail, quantity: 3 }]);

    // People go on where they were: averages with what the old records say.
    const receipt = `insert into public.stock_movements
      (product_id, location_id, kind, quantity, unit_cost) values ($1, $2, 'receipt', 5, 12)`;
    const old = (await levels())[`${rope} ${shop}`] as { cost: number };
    await act(client, people.staff, receipt, [rope, shop]);
    await act(client, people.staff, receipt, [lax, shop]);
    const now = await levels();
    expect(now[`${rope} ${shop}`]).toMatchObject({
      quantity: 10,
      cost: expect.closeTo((old.cost + 12) / 2, 5),
    });
    expect(now[`${lax} ${shop}`]).toMatchObject({ quantity: 3, cost: 12 });
    expect(await call(client, people.manager, "recompute_stock", {})).toBe(0);
    expect(await failedChecks(client, templates)).toEqual([]);
  });

  it("lets people work on between its files", async () => {
    const client = await server.createDatabase(mode);
    const old = await applyTemplates(client, names, { at: "1.0.0" });
    const people = await createPeople(client, await server.connectAsAuth(client));
    const { rope, sail, shop, depot } = await workWithRelease(client, people);
    const applied = new Set(
      old.flatMap(({ migrations }) => migrations.map((file) => file.version)),
    );
    const templates = (await loadCatalog(import.meta.dirname)).order(names);
    const files = templates
      .flatMap((template) => filesFor(template, templates))
      .filter(({ version }) => !applied.has(version));
    const ordered = ["schema", "policies"].flatMap((phase) =>
      files.filter((file) => file.phase === phase),
    );
    expect(ordered.length).toBeGreaterThan(15);

    for (const [index, { sql }] of ordered.entries()) {
      await client.query(sql);
      await act(
        client,
        people.staff,
        `insert into public.stock_movements
           (product_id, location_id, kind, quantity, unit_cost, currency)
         values ($1, $2, 'receipt', 2, $3, 'EUR'), ($1, $2, 'issue', -1, null, null)`,
        [index % 2 ? rope : sail, shop, index + 1],
      );
      await call(client, people.staff, "transfer_stock", {
        transfer_id: randomUUID(),
        product_id: rope,
        from_location_id: index % 2 ? depot : shop,
        to_location_id: index % 2 ? shop : depot,
        quantity: 1,
      });
      const point = "update public.stock_levels set reorder_point = $2 where product_id = $1";
      await act(client, people.manager, point, [sail, index % 3 ? 0 : 1000]);
    }
    await applySeeds(client, templates);
    expect(await failedChecks(client, templates)).toEqual([]);
    const costs = "select average_cost from public.stock_levels where product_id = any ($1)";
    for (const { average_cost } of (await client.query(costs, [[rope, sail]])).rows) {
      expect(Number(average_cost)).toBeGreaterThan(0);
    }
  });

  it("works averages out while people move stock, and puts right only what moved", async () => {
    const client = await server.createDatabase(mode);
    const old = await applyTemplates(client, names, { at: "1.0.0" });
    const people = await createPeople(client, await server.connectAsAuth(client));
    const { rope, lax, shop } = await workWithRelease(client, people);
    const applied = old.flatMap(({ migrations }) => migrations.map((file) => file.version));
    const templates = (await loadCatalog(import.meta.dirname)).order(names);
    const files = templates
      .flatMap((template) => filesFor(template, templates))
      .filter(({ version }) => !applied.includes(version));
    const step = files.findIndex(({ path }) => path.endsWith("_opening_costs.sql"));
    for (const { sql, phase } of files.slice(0, step))
      if (phase === "schema") await client.query(sql);

    const receipt = `insert into public.stock_movements
      (product_id, location_id, kind, quantity, unit_cost, currency)
      values ($1, $2, 'receipt', 3, 20, 'EUR')`;
    const beside = await server.connectBeside(client);
    await beside.query("begin");
    await beside.query(receipt, [lax, shop]);
    // This one is recorded before the file, with a higher id than the one that is not finished yet.
    await client.query(receipt, [rope, shop]);
    await client.query(files[step]?.sql ?? "");
    await beside.query("commit");
    await beside.end();
    const written = () =>
      rowsOf(
        client,
        `select xmin::text from public.stock_opening_costs where product_id = '${rope}'`,
      );
    const before = await written();
    expect(before).toHaveLength(2);
    for (const phase of ["schema", "policies"]) {
      for (const [index, file] of files.entries()) {
        if (file.phase === phase && (index > step || phase === "policies")) {
          await client.query(file.sql);
        }
      }
    }
    expect(await written()).toEqual(before);
    const cost = "select average_cost::float as cost from public.stock_levels where product_id = ";
    expect(await rowsOf(client, `${cost}'${lax}'`)).toEqual([{ cost: 20 }]);
    await applySeeds(client, templates);
    expect(await failedChecks(client, templates)).toEqual([]);
  });

  it("ends with the same catalog as a fresh install", async () => {
    const upgraded = await server.createDatabase(mode);
    await applyTemplates(upgraded, names, { at: "1.0.0" });
    await applyTemplates(upgraded, names, { after: "1.0.0" });
    const fresh = await server.createDatabase(mode);
    await applyTemplates(fresh, names);
    const catalogs = [];
    for (const client of [fresh, upgraded]) catalogs.push(await snapshotCatalog(client));
    expect(diffCatalogs(...(catalogs as Parameters<typeof diffCatalogs>))).toEqual([]);
    expect(await privileges(upgraded)).toEqual(await privileges(fresh));
  });
});

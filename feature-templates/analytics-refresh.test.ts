import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, anon, call, startUntilBlocked } from "./acting.ts";
import { openShop, type Shop } from "./analytics-shop.ts";
import { failedChecks } from "./fresh-database.ts";

let shop: Shop;
let company: Shop["company"];
beforeAll(async () => {
  shop = await openShop();
  company = shop.company;
});
afterAll(() => shop?.server.stop());
afterEach(async () => {
  const templates = shop.templates.filter(({ name }) => name === "analytics");
  expect(await failedChecks(shop.client, templates)).toEqual([]);
});

describe("a refresh", () => {
  it("computes what changed, and comes to what computing everything comes to", async () => {
    const products = [await shop.stocked(1.25), await shop.stocked(3.3333)];
    // A fixed sequence, so that a failure can be looked at.
    let state = 20261122;
    const random = (below: number) => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return Math.floor((state / 2147483648) * below);
    };
    const moment = () => new Date(Date.UTC(2024, 1, 1 + random(40), random(24), random(60)));
    const open: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (let n = 0; n < 15; n += 1) {
        const product = products[random(3)] ?? "";
        const at = moment().toISOString();
        const sale = await shop.sell(at, random(10_000) / 100, { where: random(2), product });
        if (random(4) > 0) continue;
        if (random(3) === 0) await shop.giveBack(sale, at, 1, "void", product);
        else open.push(sale);
      }
      const refunded = open.pop();
      if (refunded) await shop.giveBack(refunded, moment().toISOString(), random(500) / 100);
      // Sometimes in small steps, sometimes all at once.
      await shop.refresh(shop.client, random(2) ? 3 : 1000);
    }
    while ((await shop.refresh()) > 0);
    const incremental = await shop.computed();
    expect(incremental.length).toBeGreaterThan(200);

    await shop.client.query("delete from public.kpi_snapshots where source = 'pos'");
    await shop.client.query("select private.mark_everything('pos')");
    expect(await shop.refresh()).toBeGreaterThan(30);
    expect(await shop.computed()).toEqual(incremental);

    const [check] = await shop.rows(
      `select
         (select sum(net_total) from public.sales s where currency = 'EUR'
            and sold_at between '2024-01-01' and '2024-12-31'
            and not exists (select from public.refunds v where v.sale_id = s.id and v.kind = 'void'))
         - (select sum(net_total) from public.refunds where kind = 'refund'
            and refunded_at between '2024-01-01' and '2024-12-31')
         = (select value from public.compare_periods('revenue', '2024-01-01', '2024-12-31')) as same`,
    );
    expect(check).toEqual({ same: true });
  });

  it("has nothing to do when nothing changed, and takes days from the newest", async () => {
    await shop.refresh();
    expect(await shop.refresh()).toBe(0);
    await shop.sell("2023-03-01T10:00Z", 1);
    await shop.sell("2023-03-02T10:00Z", 2);
    expect(await shop.refresh(shop.client, 1)).toBe(1);
    expect(await shop.valuesOn("2023-03-02")).toMatchObject({ revenue: "2" });
    expect(await shop.valuesOn("2023-03-01")).toEqual({});
    expect(await shop.refresh(shop.client, 1)).toBe(1);
    expect(await shop.valuesOn("2023-03-01")).toMatchObject({ revenue: "1" });
  });

  it("misses no sale that commits late, and makes none wait", async () => {
    const beside = await company.server.connectBeside(shop.client);
    const day = "2023-05-05";
    await beside.query("begin");
    await shop.sell(`${day}T10:00Z`, 5, { by: beside });
    // Other sales of the day come and are counted meanwhile.
    await shop.sell(`${day}T11:00Z`, 1);
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "1" });
    await beside.query("commit");
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "6" });

    await beside.query("begin");
    await shop.refresh(beside);
    const { blocked, outcome } = await startUntilBlocked(beside, shop.client, () =>
      shop.sell(`${day}T12:00Z`, 4),
    );
    expect(blocked).toBe(false);
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    await beside.query("commit");
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "10", sales_count: "3" });
    await beside.end();
  });

  it("is right while many sell and several refresh", async () => {
    const day = "2023-06-06";
    const clients = await Promise.all(
      Array.from({ length: 6 }, () => company.server.connectBeside(shop.client)),
    );
    await Promise.all(
      clients.map(async (by, index) => {
        for (let n = 0; n < 20; n += 1) {
          if (index < 4) await shop.sell(`${day}T10:00Z`, 1, { by, where: index % 2 });
          else await shop.refresh(by);
        }
      }),
    );
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "80", sales_count: "80" });
    for (const each of clients) await each.end();
  });

  it("is for staff, and waits for a refresh that began before", async () => {
    const { people } = company;
    await shop.sell("2023-07-07T10:00Z", 3);
    for (const who of [people.viewer, people.stranger, anon]) {
      await expect(call(shop.client, who, "refresh_kpis", {})).rejects.toMatchObject({
        code: "42501",
      });
    }
    const beside = await company.server.connectBeside(shop.client);
    await beside.query("begin");
    await shop.refresh(beside);
    await shop.sell("2023-07-08T10:00Z", 4);
    const { blocked, outcome } = await startUntilBlocked(beside, shop.client, () =>
      call(shop.client, people.staff, "refresh_kpis", {}),
    );
    expect(blocked).toBe(true);
    await beside.query("commit");
    expect(await outcome).toMatchObject({ value: 1 });
    expect(await shop.valuesOn("2023-07-08")).toMatchObject({ revenue: "4" });
    await beside.end();
  });

  it("comes before what is due, once for two who ask, and outlives a source that fails", async () => {
    const { people, client } = company;
    const report = await shop.report(people.staff, { kpis: ["revenue"], period: "today" });
    await act(
      client,
      people.staff,
      "insert into public.report_schedules (report_id, frequency, at_time) values ($1, 'daily', '00:00')",
      [report],
    );
    const makeDue = () =>
      client.query(
        "update public.report_schedules set next_run_at = now(), due_at = clock_timestamp()",
      );
    await makeDue();
    await shop.sell(new Date().toISOString(), 11);
    const beside = await company.server.connectBeside(client);
    await beside.query("begin");
    expect((await beside.query("select produced from private.run_due()")).rows).toEqual([
      { produced: 1 },
    ]);
    // Before the figures of the first are there to see, the second produces nothing.
    const { blocked, outcome } = await startUntilBlocked(beside, client, () =>
      client.query("select produced from private.run_due()"),
    );
    expect(blocked).toBe(true);
    await beside.query("commit");
    expect(await outcome).toMatchObject({ value: { rows: [{ produced: 0 }] } });
    await beside.end();
    const newest = () =>
      shop.one("select rows from public.report_results order by id desc limit 1");
    expect(await newest()).toMatchObject([{ value: 11 }]);

    await shop.sell(new Date().toISOString(), 5);
    await client.query("alter function private.compute_sales_figures(date[]) rename to lost");
    await makeDue();
    expect((await client.query("select produced from private.run_due()")).rows).toEqual([
      { produced: 1 },
    ]);
    const failing = "select error_code from public.kpi_sources where key = 'pos'";
    expect(await shop.one(failing)).toBe("42883");
    await client.query("alter function private.lost(date[]) rename to compute_sales_figures");
    await makeDue();
    await client.query("select private.run_due()");
    expect(await shop.one(failing)).toBeNull();
    expect(await newest()).toMatchObject([{ value: 16 }]);
  });
});

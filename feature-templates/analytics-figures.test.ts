import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { act, call } from "./acting.ts";
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

describe("figures of the tills", () => {
  it("are computed per day, for each location and the company", async () => {
    const product = await shop.stocked(4);
    const first = await shop.sell("2026-01-05T10:00Z", 10, { product });
    await shop.sell("2026-01-05T11:00Z", 30, { product, where: 1 });
    const voided = await shop.sell("2026-01-05T12:00Z", 500, { product });
    await shop.giveBack(voided, "2026-01-05T12:05Z", 500, "void", product);
    await shop.giveBack(first, "2026-01-06T09:00Z", 10, "refund", product);
    await shop.refresh();
    expect(await shop.valuesOn("2026-01-05")).toEqual({
      revenue: "40",
      refunds: "0",
      sales_count: "2",
      average_sale: "20",
      gross_margin: "80",
    });
    expect(await shop.valuesOn("2026-01-05", shop.tills[1]?.location)).toMatchObject({
      revenue: "30",
      sales_count: "1",
      gross_margin: "86.666667",
    });
    expect(await shop.valuesOn("2026-01-06")).toEqual({
      revenue: "-10",
      refunds: "10",
      sales_count: "0",
      gross_margin: "60",
    });
  });

  it("weigh days in an average, and leave out goods of unknown cost", async () => {
    const product = await shop.stocked(5);
    const unknown = await company.product({}, 5);
    await shop.sell("2026-02-01T10:00Z", 10, { product });
    for (let n = 0; n < 3; n += 1) await shop.sell("2026-02-02T10:00Z", 20, { product });
    await shop.sell("2026-02-02T10:00Z", 1000, { product: unknown });
    await shop.refresh();
    const value = (key: string) =>
      shop.one("select value::float from public.compare_periods($1, '2026-02-01', '2026-02-28')", [
        key,
      ]);
    expect(await value("revenue")).toBe(1070);
    expect(await value("average_sale")).toBe(214);
    // (70 − 4 × 5) of 70.
    expect(await value("gross_margin")).toBeCloseTo(71.428571, 6);
  });

  it("belong to the company's day, wherever its clocks are", async () => {
    const zone = (name: string) =>
      shop.client.query("update public.company_settings set time_zone = $1", [name]);
    await shop.sell("2025-06-30T23:30Z", 7);
    await shop.refresh();
    expect(await shop.valuesOn("2025-06-30")).toMatchObject({ revenue: "7" });
    await zone("Asia/Tokyo");
    await shop.refresh();
    expect(await shop.valuesOn("2025-06-30")).toEqual({});
    expect(await shop.valuesOn("2025-07-01")).toMatchObject({ revenue: "7" });
    // In Havana the hour after midnight came twice on 2 November 2025.
    await zone("America/Havana");
    await shop.refresh();
    await shop.sell("2025-11-02T04:30Z", 1);
    await shop.refresh();
    await shop.sell("2025-11-02T05:30Z", 2);
    await shop.refresh();
    expect(await shop.valuesOn("2025-11-02")).toMatchObject({ revenue: "3" });
    expect(await shop.valuesOn("2025-11-01")).toEqual({});
    await zone("UTC");
    await shop.refresh();
  });

  it("are in one currency a day", async () => {
    await shop.sell("2025-05-01T10:00Z", 7, { currency: "CHF" });
    await shop.sell("2025-05-02T10:00Z", 8, { currency: "CHF" });
    await shop.sell("2025-05-02T10:00Z", 9);
    await shop.refresh();
    const rows = await shop.rows(
      `select s.value::float, s.currency from public.kpi_snapshots s
       join public.kpis k on k.id = s.kpi_id and k.key = 'revenue'
       where s.day between '2025-05-01' and '2025-05-02' and s.location_id is null order by s.day`,
    );
    expect(rows).toEqual([
      { value: 7, currency: "CHF" },
      { value: 9, currency: "EUR" },
    ]);
  });
});

describe("days that can be computed", () => {
  it("are, although another one cannot, and although another source fails", async () => {
    const { client } = company;
    const failing = "select error_code from public.kpi_sources where key = 'pos'";
    // A day whose figures the table refuses stands for one that cannot be computed.
    await client.query(
      `alter table public.kpi_snapshots add constraint no_such_day check (day <> '2021-05-05')`,
    );
    for (const day of ["2021-05-04", "2021-05-05", "2021-05-06"])
      await shop.sell(`${day}T10:00Z`, 9);
    await company.move(company.people.staff, await company.product({}, 1), "issue", -1);
    expect(await shop.refresh()).toBe(3);
    expect(await shop.one(failing)).toBe("23514");
    for (const day of ["2021-05-04", "2021-05-06"])
      expect(await shop.valuesOn(day)).toMatchObject({ revenue: "9" });
    await client.query("alter table public.kpi_snapshots drop constraint no_such_day");
    expect(await shop.refresh()).toBe(1);
    expect(await shop.valuesOn("2021-05-05")).toMatchObject({ revenue: "9" });
    expect(await shop.one(failing)).toBeNull();
  });
});

describe("a computed figure", () => {
  it("is not recorded, changed or removed by hand, though a value of before stands", async () => {
    const { people, client } = company;
    const day = "2022-02-02";
    await client.query(
      `insert into public.kpi_snapshots (kpi_id, day, value, recorded_by)
       select id, $1, 999, null from public.kpis where key = 'revenue'`,
      [day],
    );
    await shop.sell(`${day}T10:00Z`, 5);
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "999", sales_count: "1" });

    const recorded = { kpi_key: "revenue", day, value: 1 };
    for (const who of [people.staff, people.owner]) {
      await expect(call(client, who, "record_kpi_snapshot", recorded)).rejects.toMatchObject({
        code: "55000",
      });
      await expect(
        act(
          client,
          who,
          "insert into public.kpi_snapshots (kpi_id, day, value) select id, '2022-03-03', 1 from public.kpis where key = 'revenue'",
        ),
      ).rejects.toMatchObject({ code: "42501" });
      expect(
        (
          await act(
            client,
            who,
            "update public.kpi_snapshots set value = 0, recorded_by = auth.uid() where source is not null",
          )
        ).rowCount,
      ).toBe(0);
      expect(
        (await act(client, who, "delete from public.kpi_snapshots where source is not null"))
          .rowCount,
      ).toBe(0);
    }

    // A manager who takes the old value away gets the computed one.
    const removed = await act(
      client,
      people.manager,
      "delete from public.kpi_snapshots where day = $1 and source is null",
      [day],
    );
    expect(removed.rowCount).toBe(1);
    await shop.refresh();
    expect(await shop.valuesOn(day)).toMatchObject({ revenue: "5" });
  });

  it("is one whatever its key is", async () => {
    const rename = "update public.kpis set key = $2 where key = $1";
    await act(shop.client, company.people.manager, rename, ["revenue", "umsatz"]);
    await shop.sell("2022-04-04T10:00Z", 5);
    await shop.refresh();
    expect(await shop.valuesOn("2022-04-04")).toMatchObject({ umsatz: "5" });
    await act(shop.client, company.people.manager, rename, ["umsatz", "revenue"]);
  });

  it("keeps what came through complete_sale", async () => {
    const { people, client } = company;
    const product = await company.product({ price: "12.00", tax_rate: "0.2" }, 10);
    const before = Number((await shop.one(today("sales_count"))) ?? 0);
    const sale = {
      client_token: randomUUID(),
      session_id: shop.tills[0]?.session,
      lines: [{ product_id: product, quantity: 2 }],
      payments: [{ method: "card", amount: 24 }],
    };
    await call(client, people.staff, "complete_sale", sale);
    await call(client, people.staff, "complete_sale", sale);
    await call(client, people.staff, "refresh_kpis", {});
    expect(Number(await shop.one(today("sales_count")))).toBe(before + 1);
  });

  const today = (key: string) =>
    `select value from public.compare_periods('${key}', (now() at time zone 'UTC')::date, (now() at time zone 'UTC')::date)`;
});

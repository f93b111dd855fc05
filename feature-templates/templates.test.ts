import { afterAll, beforeAll, expect, it } from "vitest";
import {
  applyTemplates,
  failedChecks,
  type ProjectServer,
  startProjectServer,
} from "./fresh-database.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await startProjectServer();
});
afterAll(() => server?.stop());

const everything = ["base", "inventory", "pos", "analytics"];

it("breaches are told by the checks too, where a run can see them", async () => {
  const client = await server.createDatabase("2026-10");
  const templates = await applyTemplates(client, everything);
  await client.query(`
    alter table public.sales disable row level security;
    grant select (name) on public.suppliers to anon;
    grant execute on function private.has_role(public.member_role) to public;
    alter function public.record_kpi_snapshot(text, date, numeric, uuid) reset search_path;
    alter view public.low_stock set (security_invoker = false);
    alter table public.receipts disable trigger receipts_refuse_change;
    drop policy kpis_select on public.kpis;
    drop index public.products_name_prefix_idx;
    update public.locations set active = false;
  `);
  expect(await failedChecks(client, templates)).toEqual([
    "base: anon may execute no function: private.has_role(public.member_role)",
    "base: there is an active location: 0 found",
    "inventory: anon has no privilege on any table: suppliers",
    "inventory: every view keeps to the rights of its reader: low_stock",
    "inventory: names of products are indexed: missing or invalid",
    "pos: every table has row-level security: sales",
    "pos: records refuse to be changed: 3 of 4 guarded",
    "analytics: members can read every table through its policies: kpis",
    "analytics: every function exists with a fixed search_path: " +
      "public.record_kpi_snapshot(text,date,numeric,uuid)",
  ]);
  await client.end();
});

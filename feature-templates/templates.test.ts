import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  applyTemplates,
  failedChecks,
  type ProjectServer,
  startProjectServer,
} from "./fresh-database.ts";
import { schemaBreaches } from "./schema-rules.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await startProjectServer();
});
afterAll(() => server?.stop());

const everything = ["base", "inventory", "pos", "analytics"];

describe("the rules themselves", () => {
  it("name each planted breach", async () => {
    const client = await server.createDatabase("legacy");
    await applyTemplates(client, ["base"]);
    await client.query(`
      create table public.bare (a text, at timestamp);
      create view public.seen as select name from public.company_settings;
      create table public.child (
        id int primary key, location_id uuid references public.locations (id)
      );
      alter table public.child enable row level security;
      comment on table public.child is 'x';
      revoke all on public.child, public.bare, public.seen from anon, authenticated, service_role;
      grant select, truncate on public.child to authenticated;
      create index child_location_partial on public.child (location_id)
        where id > 0;
      create index locations_code_again on public.locations (code);
      create function public.loose() returns int language sql security definer as 'select 1';
      grant select on public.company_settings to anon;
      create policy second on public.members for select to authenticated using (true);
      create policy broad on public.locations for all using (auth.uid() is not null);
    `);
    expect(await schemaBreaches(client)).toEqual([
      "bare.at: has a type that money, quantities and times must not have",
      "bare: has no comment",
      "bare: has no primary key",
      "bare: has no row-level security",
      "child SELECT: grants an action that no policy allows, or the other way round",
      "child.child_location_id_fkey: is a foreign key without an index",
      "child: gives the API's roles more than rows",
      "company_settings: is open to anon or everyone",
      "locations.broad: is a policy for every role or for every action",
      "locations.broad: is a policy that looks something up for each row",
      "locations_code_again: is a second index of the same kind",
      "loose(): has no fixed search_path",
      "loose(): may be executed by everyone",
      "loose(): runs with its owner's rights and is exposed",
      "members.second: is a policy that overlaps another",
      "seen: has no comment",
      "seen: is a view with its owner's rights",
    ]);
    await client.end();
  });

  it("are told by the checks too, where a run can see them", async () => {
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
});

import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { privileges } from "../scripts/templates/privileges.ts";
import { diffCatalogs, snapshotCatalog } from "../tests/support/catalog.ts";
import { signUp } from "./accounts.ts";
import { act, createPeople } from "./acting.ts";
import { applyTemplates, failedChecks, grantModes, type ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

/** Every row of what version 1.0.0 has, as text. */
async function rowsOf(client: pg.Client): Promise<Record<string, string[]>> {
  const tables = ["company_settings", "locations", "profiles", "members", "activity_log"];
  const found: Record<string, string[]> = {};
  for (const table of tables) {
    const { rows } = await client.query(`select t::text as row from public.${table} t order by 1`);
    found[table] = rows.map(({ row }) => row);
  }
  return found;
}

describe.each(grantModes)("base 1.0.0 at work, with the grants of %s", (mode) => {
  it("becomes what a fresh project has, and loses nothing", async () => {
    const client = await server.createDatabase(mode);
    const auth = await server.connectAsAuth(client);
    await applyTemplates(client, ["base"], { at: "1.0.0" });
    const people = await createPeople(client, auth);
    const { owner, manager, staff } = people;
    await act(client, owner, "update public.company_settings set name = 'Kept', currency = 'NOK'");
    await act(client, manager, "insert into public.locations (code, name) values ('K', 'Kept')");
    await act(client, staff, "update public.profiles set phone = '+47 1' where id = $1", [
      staff.id,
    ]);
    await act(client, owner, "update public.members set active = false where user_id = $1", [
      people.viewer.id,
    ]);
    const known = await signUp(auth, "known@example.test", { confirmed: true });
    const before = await rowsOf(client);
    expect(before.activity_log?.length).toBeGreaterThan(5);

    await client.query("select set_config('berth.base.company_name', 'Asked', false)");
    const templates = await applyTemplates(client, ["base"], { after: "1.0.0" });
    expect(await rowsOf(client)).toEqual(before);
    expect(await failedChecks(client, templates)).toEqual([]);

    const fresh = await server.createDatabase(mode);
    await applyTemplates(fresh, ["base"]);
    const catalog = (of: pg.Client) => snapshotCatalog(of, { rowCounts: [] });
    expect(diffCatalogs(await catalog(fresh), await catalog(client))).toEqual([]);
    expect(await privileges(client)).toEqual(await privileges(fresh));

    // What is new works with what was there.
    await act(client, owner, "insert into public.invitations (email, role) values ($1, 'staff')", [
      known.email,
    ]);
    const seen = await act(client, known, "select name from public.locations order by name");
    expect(seen.rows).toEqual([{ name: "Kept" }, { name: "Main location" }]);
  });
});

it("never rewrites a company that left its settings as they were", async () => {
  const client = await server.createDatabase("2026-10");
  await applyTemplates(client, ["base"], { at: "1.0.0" });
  const { company_settings: before } = await rowsOf(client);
  for (const [name, value] of [
    ["company_name", "Asked"],
    ["currency", "CHF"],
    ["time_zone", "Europe/Zurich"],
  ]) {
    await client.query("select set_config($1, $2, false)", [`berth.base.${name}`, value]);
  }
  await applyTemplates(client, ["base"], { after: "1.0.0" });
  expect((await rowsOf(client)).company_settings).toEqual(before);
});

it("ends the membership of accounts that were deleted before", async () => {
  const client = await server.createDatabase("2026-10");
  const auth = await server.connectAsAuth(client);
  await applyTemplates(client, ["base"], { at: "1.0.0" });
  const { owner, manager } = await createPeople(client, auth);
  const gone = "update auth.users set deleted_at = now() where id = any ($1)";
  await auth.query(gone, [[owner.id, manager.id]]);
  const templates = await applyTemplates(client, ["base"], { after: "1.0.0" });
  const { rows } = await client.query(
    "select role::text from public.members m where m.active order by m.role",
  );
  expect(rows).toEqual([{ role: "viewer" }, { role: "staff" }]);
  expect(await failedChecks(client, templates)).toEqual([]);
});

import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Template } from "#app/domain/catalog/index.server.ts";
import { type Auth, act, type People } from "./acting.ts";
import { failedChecks } from "./fresh-database.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
let client: pg.Client;
let auth: Auth;
let people: People;
let templates: Template[];
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  ({ client, people, templates } = await server.createCompany(["base"]));
  auth = await server.connectAsAuth(client);
});

/** What Auth writes when it deletes an account and keeps its row. */
const softDelete = (id: string) =>
  auth.query(
    `update auth.users set deleted_at = now(), email = 'x' || id, raw_app_meta_data = '{}',
       raw_user_meta_data = '{}' where id = $1`,
    [id],
  );
const isActive = async (id: string) =>
  (await client.query("select active from public.members where user_id = $1", [id])).rows[0]
    ?.active;

describe("an account that Auth marks as deleted", () => {
  it("is no active member from that moment on, whatever its token says", async () => {
    const { manager, owner } = people;
    const see = () => act(client, manager, "select from public.locations");
    expect((await see()).rowCount).toBe(1);
    await act(client, manager, "insert into public.invitations (email) values ('a@example.test')");
    await softDelete(manager.id);
    expect((await see()).rowCount).toBe(0);
    expect(await isActive(manager.id)).toBe(false);
    const invitation = "select revoked_at is not null as revoked from public.invitations";
    expect((await act(client, owner, invitation)).rows).toEqual([{ revoked: true }]);
  });

  it("may be that of the last owner: Auth is not stopped", async () => {
    await softDelete(people.owner.id);
    expect(await isActive(people.owner.id)).toBe(false);
    // An owner who is still there cannot leave the company alone.
    await client.query("update public.members set role = 'owner' where user_id = $1", [
      people.manager.id,
    ]);
    const leave = "update public.members set active = false where user_id = $1";
    await expect(act(client, people.manager, leave, [people.manager.id])).rejects.toMatchObject({
      code: "23001",
    });
  });

  it("does not become active again, nor a member, and a stranger learns nothing of it", async () => {
    const { owner, staff, stranger } = people;
    await softDelete(staff.id);
    await softDelete(stranger.id);
    const refused = { code: "23001", message: "The account was deleted" };
    const back = "update public.members set active = true where user_id = $1";
    await expect(act(client, owner, back, [staff.id])).rejects.toMatchObject(refused);
    const hire = "insert into public.members (user_id) values ($1)";
    await expect(act(client, owner, hire, [stranger.id])).rejects.toMatchObject(refused);
    await expect(act(client, people.viewer, hire, [stranger.id])).rejects.toMatchObject({
      code: "42501",
    });
    expect((await act(client, people.viewer, back, [staff.id])).rowCount).toBe(0);
    const role = "update public.members set role = 'viewer' where user_id = $1";
    expect((await act(client, owner, role, [staff.id])).rowCount).toBe(1);
  });

  it("is found by the checks where its membership went on", async () => {
    await client.query(
      `create or replace function private.end_deleted_membership() returns trigger
       language plpgsql security definer set search_path = '' as 'begin return null; end;'`,
    );
    await softDelete(people.staff.id);
    expect(await failedChecks(client, templates)).toEqual([
      "base: a deleted account is no active member: 1 still active",
    ]);
  });
});

describe("profiles in the record of changes", () => {
  it("are those of members, with what they changed and not what it became", async () => {
    const rename = "update public.profiles set full_name = 'Ada', phone = '1' where id = $1";
    for (const who of [people.staff, people.stranger]) await act(client, who, rename, [who.id]);
    const again = "update public.profiles set updated_at = updated_at where id = $1";
    await client.query(again, [people.staff.id]);
    await auth.query("delete from auth.users where id = $1", [people.stranger.id]);
    const { rows } = await client.query(
      `select row_id, action, changed_columns, actor_id from public.activity_log
       where table_name = 'profiles'`,
    );
    expect(rows).toEqual([
      {
        row_id: people.staff.id,
        action: "update",
        changed_columns: ["full_name", "phone"],
        actor_id: people.staff.id,
      },
    ]);
  });
});

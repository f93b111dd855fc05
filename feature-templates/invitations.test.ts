import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signUp } from "./accounts.ts";
import { type Actor, type Auth, act, anon, createPeople, type People, service } from "./acting.ts";
import { applyTemplates, grantModes, type ProjectServer } from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;
beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

const denied = { code: "42501" };
const closed = { code: "23001" };
const insert = "insert into public.invitations (email, role) values ($1, $2) returning *";
const revoke = "update public.invitations set revoked_at = now() where email = $1";

const address = (who = "guest") => `${who}-${randomUUID()}@example.test`;

describe.each(grantModes)("invitations in a project with the grants of %s", (mode) => {
  let client: pg.Client;
  let auth: Auth;
  let people: People;
  beforeAll(async () => {
    client = await server.createDatabase(mode);
    auth = await server.connectAsAuth(client);
    await applyTemplates(client, ["base"]);
    people = await createPeople(client, auth);
  });

  const invite = async (who: Actor, email: string, role: string) =>
    (await act(client, who, insert, [email, role])).rows[0];
  const invitationOf = async (email: string) => {
    const { rows } = await client.query(
      "select * from public.invitations where email = $1 order by created_at desc",
      [email],
    );
    return rows[0];
  };

  it("come from owners for every role, and from managers for staff and viewers", async () => {
    const may: Record<string, string[]> = {
      owner: ["owner", "manager", "staff", "viewer"],
      manager: ["staff", "viewer"],
      staff: [],
      viewer: [],
      stranger: [],
    };
    for (const [name, roles] of Object.entries(may)) {
      const who = people[name as keyof People];
      for (const role of ["owner", "manager", "staff", "viewer"]) {
        const email = address();
        const inviting = invite(who, email, role);
        if (roles.includes(role)) {
          expect(await inviting).toMatchObject({ email, role, invited_by: who.id });
        } else {
          await expect(inviting, `${name} invites ${role}`).rejects.toMatchObject(denied);
          expect(await invitationOf(email)).toBeUndefined();
        }
      }
    }
    await expect(invite(anon, address(), "viewer")).rejects.toMatchObject(denied);
    const byService = await act(client, service, insert, [address(), "owner"]);
    expect(byService.rows[0]).toMatchObject({ role: "owner", invited_by: null });
  });

  it("are refused by the database itself where the policy would let a manager through", async () => {
    await client.query("alter policy invitations_insert on public.invitations with check (true)");
    await expect(invite(people.manager, address(), "manager")).rejects.toMatchObject(denied);
    await expect(invite(people.staff, address(), "viewer")).rejects.toMatchObject(denied);
    await client.query(`alter policy invitations_insert on public.invitations with check (
      (select private.has_role('owner'))
      or ((select private.has_role('manager')) and role < 'manager'))`);
  });

  it("are seen by managers and owners alone", async () => {
    await invite(people.owner, address(), "viewer");
    const { rowCount: all } = await client.query("select from public.invitations");
    const seen = async (who: Actor) =>
      (await act(client, who, "select from public.invitations")).rowCount;
    for (const who of [people.owner, people.manager, service]) expect(await seen(who)).toBe(all);
    for (const who of [people.staff, people.viewer, people.stranger]) {
      expect(await seen(who)).toBe(0);
    }
    await expect(seen(anon)).rejects.toMatchObject(denied);
  });

  it("last seven days unless told otherwise, and thirty at most", async () => {
    const email = address();
    await invite(people.owner, email, "viewer");
    const { rows } = await client.query(
      "select expires_at - created_at = interval '7 days' as week from public.invitations where email = $1",
      [email],
    );
    expect(rows).toEqual([{ week: true }]);
    const until = (expiry: string) =>
      act(
        client,
        people.owner,
        `insert into public.invitations (email, expires_at) values ($1, ${expiry})`,
        [address()],
      );
    await until("now() + interval '30 days'");
    for (const [expiry, code] of [
      ["now() + interval '30 days 1 second'", /^23514$/],
      ["now()", /^23514$/],
      ["now() - interval '1 hour'", /^23514$/],
      // PostgreSQL 15 and 16 cannot subtract it, later ones find the difference too long.
      ["'infinity'", /^(22008|23514)$/],
    ] as const) {
      await expect(until(expiry), expiry).rejects.toMatchObject({
        code: expect.stringMatching(code),
      });
    }
  });

  it.each([
    "nobody",
    "@example.test",
    "a@b@example.test",
    "a b@example.test",
    "Ann <ann@example.test>",
    "ann@example.test,bob@example.test",
    "ann@example.test\nBcc: eve@example.test",
    `${"a".repeat(250)}@example.test`,
    "",
  ])("refuse the address %j", async (email) => {
    await expect(invite(people.owner, email, "viewer")).rejects.toMatchObject({ code: "23514" });
  });

  it("are one at a time for an address, however it is written", async () => {
    const email = address();
    await invite(people.owner, `  ${email.toUpperCase()} `, "viewer");
    expect(await invitationOf(email)).toMatchObject({ role: "viewer" });
    const again = invite(people.manager, email, "staff");
    await expect(again).rejects.toMatchObject({ code: "23505" });
    await act(client, people.manager, revoke, [email]);
    await invite(people.manager, email, "staff");
    expect(await invitationOf(email)).toMatchObject({ role: "staff", revoked_at: null });
  });

  it("make room for a new one when they have expired", async () => {
    const email = address();
    const invitation = await invite(people.owner, email, "owner");
    await client.query(
      `update public.invitations set created_at = now() - interval '8 days',
         expires_at = now() - interval '1 day' where id = $1`,
      [invitation?.id],
    );
    await invite(people.manager, email, "viewer");
    const { rows } = await client.query(
      "select role, revoked_at is null as open from public.invitations where email = $1 order by role",
      [email],
    );
    expect(rows).toEqual([
      { role: "viewer", open: true },
      { role: "owner", open: false },
    ]);
  });

  it("say nothing of an inviter, an acceptance or an account that a client makes up", async () => {
    for (const column of ["invited_by", "accepted_by", "id"]) {
      const sql = `insert into public.invitations (email, ${column}) values ($1, $2)`;
      const forging = act(client, people.owner, sql, [address(), people.manager.id]);
      await expect(forging, column).rejects.toMatchObject(denied);
    }
    const email = address();
    await invite(people.manager, email, "viewer");
    for (const change of [
      "role = 'owner'",
      "email = 'eve@example.test'",
      "expires_at = now() + interval '30 days'",
      "accepted_at = now()",
    ]) {
      const changing = act(client, people.manager, `update public.invitations set ${change}`);
      await expect(changing, change).rejects.toMatchObject(denied);
    }
  });

  it("are revoked by whoever may send them, once and for good", async () => {
    const email = address();
    await invite(people.owner, email, "manager");
    const { manager, staff, viewer, stranger, owner } = people;
    for (const who of [manager, staff, viewer, stranger]) {
      expect((await act(client, who, revoke, [email])).rowCount).toBe(0);
    }
    await expect(act(client, anon, revoke, [email])).rejects.toMatchObject(denied);
    const later = "update public.invitations set revoked_at = '2999-01-01' where email = $1";
    expect((await act(client, owner, later, [email])).rowCount).toBe(1);
    const { revoked_at } = await invitationOf(email);
    expect(revoked_at.getTime()).toBeLessThanOrEqual(Date.now());
    for (const sql of [
      revoke,
      "update public.invitations set revoked_at = null where email = $1",
    ]) {
      await expect(act(client, owner, sql, [email])).rejects.toMatchObject(closed);
    }
    const remove = "delete from public.invitations where email = $1";
    for (const who of [manager, staff, viewer, stranger]) {
      expect((await act(client, who, remove, [email])).rowCount).toBe(0);
    }
    expect((await act(client, owner, remove, [email])).rowCount).toBe(1);
  });

  it("are refused to somebody who is a member already, active or not", async () => {
    const member = await signUp(auth, address("Member"));
    await client.query("insert into public.members (user_id, role) values ($1, 'staff')", [
      member.id,
    ]);
    const taken = { code: "23505" };
    await expect(invite(people.owner, member.email, "owner")).rejects.toMatchObject(taken);
    await client.query("update public.members set active = false where user_id = $1", [member.id]);
    await expect(invite(people.owner, member.email, "staff")).rejects.toMatchObject(taken);
  });

  it("stand in the record of changes, without the address", async () => {
    const email = address();
    const invitation = await invite(people.manager, email, "viewer");
    await act(client, people.owner, revoke, [email]);
    await act(client, people.owner, "delete from public.invitations where id = $1", [
      invitation?.id,
    ]);
    const { rows } = await act(
      client,
      people.owner,
      "select * from public.activity_log where table_name = 'invitations' and row_id = $1 order by id",
      [invitation?.id],
    );
    expect(rows).toMatchObject([
      { action: "insert", actor_id: people.manager.id },
      { action: "update", actor_id: people.owner.id, changed_columns: ["revoked_at"] },
      { action: "delete", actor_id: people.owner.id },
    ]);
    expect(JSON.stringify(rows)).not.toContain(email);
  });
});

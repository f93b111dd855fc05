import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { confirm, moveTo, type Person, signUp } from "./accounts.ts";
import { type Actor, type Auth, act, anon, call, type People, service } from "./acting.ts";
import { joinProjectServer, type Share } from "./shared-server.ts";

let server: Share;
let client: pg.Client;
let auth: Auth;
let people: People;
beforeAll(async () => {
  server = await joinProjectServer();
  ({ client, people } = await server.createCompany(["base"]));
  auth = await server.connectAsAuth(client);
});
afterAll(() => server?.stop());

let number = 0;
let email: string;
beforeEach(() => {
  number += 1;
  email = `guest-${number}@example.test`;
});

const invite = (role: string, who: Actor = people.owner, to = email) =>
  act(client, who, "insert into public.invitations (email, role) values ($1, $2)", [to, role]);
const membership = async ({ id }: Person) => {
  const { rows } = await client.query(
    "select role::text, active from public.members where user_id = $1",
    [id],
  );
  return rows[0] ?? null;
};
const invitation = async (to = email) => {
  const { rows } = await client.query(
    `select accepted_by, accepted_at is not null as accepted, revoked_at is not null as revoked
     from public.invitations where email = $1 order by created_at desc, id`,
    [to],
  );
  return rows[0];
};
const open = { accepted: false, revoked: false };
const revoke = "update public.invitations set revoked_at = now() where email = $1";

describe("an invitation is accepted", () => {
  it("when the address is confirmed, and not a moment earlier", async () => {
    await invite("staff");
    const guest = await signUp(auth, email);
    expect(await membership(guest)).toBeNull();
    expect((await act(client, guest, "select from public.locations")).rowCount).toBe(0);
    await confirm(auth, guest);
    expect(await membership(guest)).toEqual({ role: "staff", active: true });
    expect(await invitation()).toEqual({ accepted: true, accepted_by: guest.id, revoked: false });
    expect((await act(client, guest, "select from public.locations")).rowCount).toBe(1);
  });

  it("by an account that begins with a confirmed address, however that is written", async () => {
    await invite("manager", people.owner, email.toUpperCase());
    const guest = await signUp(auth, `Guest-${number}@EXAMPLE.test`, { confirmed: true });
    expect(await membership(guest)).toEqual({ role: "manager", active: true });
  });

  it("at once by an account that was there before, if its address is confirmed", async () => {
    const guest = await signUp(auth, email, { confirmed: true });
    await invite("viewer", people.manager);
    expect(await membership(guest)).toEqual({ role: "viewer", active: true });
    expect(await invitation()).toMatchObject({ accepted: true });
  });

  it("by the signed-in person, when invitation and confirmation crossed", async () => {
    const guest = await signUp(auth, email);
    await auth.query("begin");
    await confirm(auth, guest);
    await invite("staff");
    await auth.query("commit");
    expect(await invitation()).toMatchObject(open);
    expect(await call(client, guest, "accept_invitations", {})).toBe("staff");
    expect(await membership(guest)).toEqual({ role: "staff", active: true });
    expect(await call(client, guest, "accept_invitations", {})).toBe("staff");
  });

  it("by an account that moves to the invited address", async () => {
    const guest = await signUp(auth, `before-${email}`, { confirmed: true });
    await invite("viewer");
    await auth.query("update auth.users set email_change = $2 where id = $1", [guest.id, email]);
    expect(await call(client, guest, "accept_invitations", {})).toBeNull();
    await moveTo(auth, guest, email);
    expect(await membership(guest)).toEqual({ role: "viewer", active: true });
  });

  it("again by somebody who was removed and is invited again", async () => {
    await invite("manager");
    const guest = await signUp(auth, email, { confirmed: true });
    await act(client, people.owner, "delete from public.members where user_id = $1", [guest.id]);
    expect(await call(client, guest, "accept_invitations", {})).toBeNull();
    await confirm(auth, guest);
    expect(await membership(guest)).toBeNull();
    await invite("viewer", people.manager);
    expect(await membership(guest)).toEqual({ role: "viewer", active: true });
  });

  it("in the name of nobody that the record of changes could show by an address", async () => {
    await invite("viewer");
    const guest = await signUp(auth, email, { confirmed: true });
    const { rows } = await client.query(
      `select l.table_name, l.action, l.changed_columns from public.activity_log l
       where l.row_id = $1 or l.row_id = (select i.id::text from public.invitations i where i.email = $2)
       order by l.id`,
      [guest.id, email],
    );
    expect(rows).toEqual([
      { table_name: "invitations", action: "insert", changed_columns: [] },
      {
        table_name: "invitations",
        action: "update",
        changed_columns: ["accepted_at", "accepted_by"],
      },
      { table_name: "members", action: "insert", changed_columns: [] },
    ]);
  });
});

describe("an invitation gives nothing", () => {
  it("to whoever claims the address in metadata, or signs up with it unconfirmed", async () => {
    await invite("owner");
    const metadata = { email, email_verified: true, berth_role: "owner", role: "owner" };
    const liar = await signUp(auth, `liar-${number}@example.test`, { confirmed: true, metadata });
    const squatter = await signUp(auth, email, { metadata });
    await auth.query(
      "update auth.users set raw_user_meta_data = $2, phone_confirmed_at = now() where id = $1",
      [squatter.id, metadata],
    );
    for (const attacker of [liar, squatter]) {
      expect(await call(client, attacker, "accept_invitations", {})).toBeNull();
      expect(await membership(attacker)).toBeNull();
    }
    expect(await invitation()).toMatchObject(open);
  });

  it("to a token that claims another's address", async () => {
    await invite("owner");
    const liar = await signUp(auth, `liar-${number}@example.test`, { confirmed: true });
    await client.query("begin");
    await client.query("set local role authenticated");
    await client.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify({ role: "authenticated", sub: liar.id, email, email_verified: true }),
    ]);
    const { rows } = await client.query("select public.accept_invitations() as role");
    await client.query("commit");
    expect(rows).toEqual([{ role: null }]);
    expect(await invitation()).toMatchObject(open);
  });

  it("to an account of single sign-on, or one that was deleted softly", async () => {
    await invite("owner");
    const sso = await signUp(auth, email, { confirmed: true, sso: true });
    const deleted = await signUp(auth, `gone-${email}`, { confirmed: true });
    await auth.query("update auth.users set deleted_at = now(), email = $2 where id = $1", [
      deleted.id,
      email,
    ]);
    expect(await membership(sso)).toBeNull();
    expect(await membership(deleted)).toBeNull();
    expect(await invitation()).toMatchObject(open);
  });

  it("to an address that only looks like the invited one", async () => {
    const kate = `kate-${number}@example.test`;
    await invite("owner", people.owner, kate);
    const lookalike = await signUp(auth, `\u212Aate-${number}@example.test`, { confirmed: true });
    expect(await membership(lookalike)).toBeNull();
    expect(await invitation(kate)).toMatchObject(open);
  });

  it("once it is revoked", async () => {
    await invite("staff");
    const guest = await signUp(auth, email);
    await act(client, people.manager, revoke, [email]);
    await confirm(auth, guest);
    expect(await call(client, guest, "accept_invitations", {})).toBeNull();
    expect(await membership(guest)).toBeNull();
  });

  it("once it has expired", async () => {
    await invite("staff");
    await client.query(
      `update public.invitations set created_at = now() - interval '7 days 1 second',
         expires_at = now() - interval '1 second' where email = $1`,
      [email],
    );
    const guest = await signUp(auth, email, { confirmed: true });
    expect(await call(client, guest, "accept_invitations", {})).toBeNull();
    expect(await membership(guest)).toBeNull();
    expect(await invitation()).toMatchObject(open);
  });

  it("a second time, to another account at the same address", async () => {
    await invite("staff");
    const first = await signUp(auth, email, { confirmed: true });
    await moveTo(auth, first, `moved-${email}`);
    const second = await signUp(auth, email, { confirmed: true });
    expect(await membership(first)).toEqual({ role: "staff", active: true });
    expect(await membership(second)).toBeNull();
  });

  it("to somebody who became a member another way, then or after being removed", async () => {
    await invite("manager");
    const guest = await signUp(auth, email);
    await client.query("insert into public.members (user_id, role) values ($1, 'viewer')", [
      guest.id,
    ]);
    expect(await invitation()).toMatchObject({ revoked: true });
    await confirm(auth, guest);
    expect(await membership(guest)).toEqual({ role: "viewer", active: true });
    await client.query("delete from public.members where user_id = $1", [guest.id]);
    expect(await call(client, guest, "accept_invitations", {})).toBeNull();
    expect(await membership(guest)).toBeNull();
  });

  it("to a member who moves to the invited address, whether active or not", async () => {
    for (const [active, role] of [
      [true, "viewer"],
      [true, "owner"],
      [false, "viewer"],
    ]) {
      const to = `${role}-${active}-${email}`;
      const member = await signUp(auth, `old-${to}`, { confirmed: true });
      await client.query("insert into public.members (user_id, role, active) values ($1, $2, $3)", [
        member.id,
        role,
        active,
      ]);
      await invite("manager", people.owner, to);
      await moveTo(auth, member, to);
      expect(await membership(member)).toEqual({ role, active });
      expect(await invitation(to)).toMatchObject({ accepted: true });
    }
  });

  it("to strangers and anon who ask", async () => {
    expect(await call(client, people.stranger, "accept_invitations", {})).toBeNull();
    for (const who of [anon, service]) {
      const asking = call(client, who, "accept_invitations", {});
      await expect(asking).rejects.toMatchObject({ code: "42501" });
    }
    for (const who of [people.stranger, people.owner, anon, service]) {
      const forcing = act(client, who, "select private.accept_invitation($1)", [
        people.stranger.id,
      ]);
      await expect(forcing).rejects.toMatchObject({ code: "42501" });
    }
  });
});

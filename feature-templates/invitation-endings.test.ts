/** What becomes of an invitation when something else happens to it, its sender or its address. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import { confirm, type Person, signUp } from "./accounts.ts";
import { type Actor, type Auth, act, type People, startUntilBlocked } from "./acting.ts";
import { failedChecks } from "./fresh-database.ts";
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

const address = (who = "guest") => `${who}-${randomUUID()}@example.test`;
let email: string;
beforeEach(() => {
  email = address();
});

const insert = "insert into public.invitations (email, role) values ($1, $2)";
const invite = (role: string, who: Actor = people.owner, to = email) =>
  act(client, who, insert, [to, role]);
const revoke = "update public.invitations set revoked_at = now() where email = $1";
const invitation = async (to = email) => {
  const { rows } = await client.query(
    `select accepted_at is not null as accepted, revoked_at is not null as revoked, invited_by
     from public.invitations where email = $1`,
    [to],
  );
  return rows[0];
};
const hire = async (role: string) => {
  const person = await signUp(auth, address(role));
  const sql = "insert into public.members (user_id, role) values ($1, $2)";
  await client.query(sql, [person.id, role]);
  return person;
};
const membership = async ({ id }: Person) => {
  const { rows } = await client.query(
    "select role::text, active from public.members where user_id = $1",
    [id],
  );
  return rows[0] ?? null;
};

describe("an invitation", () => {
  it("ends with the right of the one who sent it", async () => {
    const endings: [string, string, string[]][] = [
      ["update public.members set role = 'manager' where user_id = $1", "owner", ["viewer"]],
      ["update public.members set role = 'staff' where user_id = $1", "owner", []],
      ["update public.members set role = 'owner' where user_id = $1", "manager", ["viewer"]],
      ["update public.members set active = false where user_id = $1", "manager", []],
      ["delete from public.members where user_id = $1", "manager", []],
    ];
    for (const [ending, role, open] of endings) {
      const leaver = await hire(role);
      await invite("viewer", leaver, address());
      if (role === "owner") await invite("manager", leaver, address());
      await client.query(ending, [leaver.id]);
      const { rows } = await client.query(
        "select role::text from public.invitations where invited_by = $1 and revoked_at is null",
        [leaver.id],
      );
      expect([ending, rows.map((row) => row.role)]).toEqual([ending, open]);
    }
  });

  it("ends when the account of the one who sent it is deleted", async () => {
    const leaver = await hire("owner");
    await invite("owner", leaver);
    await auth.query("delete from auth.users where id = $1", [leaver.id]);
    expect(await invitation()).toEqual({ accepted: false, revoked: true, invited_by: leaver.id });
  });

  it("never outlives a right that is taken away at the same moment", async () => {
    const beside = await server.connectBeside(client);
    const leaver = await hire("manager");
    const demote = "update public.members set role = 'staff' where user_id = $1";

    // The invitation is under way first: the demotion waits, sees it and revokes it.
    await beside.query("begin");
    await beside.query("set local role authenticated");
    await beside.query("select set_config('request.jwt.claims', $1, true)", [
      JSON.stringify({ role: "authenticated", sub: leaver.id }),
    ]);
    await beside.query(insert, [email, "viewer"]);
    const demotion = await startUntilBlocked(auth, client, () => client.query(demote, [leaver.id]));
    await beside.query("commit");
    expect(demotion.blocked).toBe(true);
    expect(await demotion.outcome).toMatchObject({ status: "fulfilled" });
    expect(await invitation()).toMatchObject({ revoked: true });

    // The demotion is under way first: the invitation waits and is refused.
    await client.query("update public.members set role = 'manager' where user_id = $1", [
      leaver.id,
    ]);
    await client.query("begin");
    await client.query(demote, [leaver.id]);
    const other = address();
    const inviting = await startUntilBlocked(auth, beside, () =>
      act(beside, leaver, insert, [other, "viewer"]),
    );
    await client.query("commit");
    expect(inviting.blocked).toBe(true);
    expect(await inviting.outcome).toMatchObject({
      status: "rejected",
      reason: { code: "42501" },
    });
    expect(await invitation(other)).toBeUndefined();
  });
});

describe("two at the same moment", () => {
  it("lead to one member, when two accounts hold the address", async () => {
    await invite("staff");
    const first = await signUp(auth, email);
    const second = await signUp(auth, email.toUpperCase());
    const beside = await server.connectAsAuth(client);
    await auth.query("begin");
    await confirm(auth, first);
    const { blocked, outcome } = await startUntilBlocked(client, beside, () =>
      confirm(beside, second),
    );
    await auth.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    expect(await membership(first)).toEqual({ role: "staff", active: true });
    expect(await membership(second)).toBeNull();
  });

  it("leave an accepted invitation accepted, when it is revoked just then", async () => {
    await invite("staff");
    const guest = await signUp(auth, email);
    await auth.query("begin");
    await confirm(auth, guest);
    const beside = await server.connectBeside(client);
    const { blocked, outcome } = await startUntilBlocked(client, beside, () =>
      act(beside, people.owner, revoke, [email]),
    );
    await auth.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({ status: "rejected", reason: { code: "23001" } });
    expect(await membership(guest)).toEqual({ role: "staff", active: true });
  });

  it("leave a revoked invitation revoked, when it is accepted just then", async () => {
    await invite("staff");
    const guest = await signUp(auth, email);
    await client.query("begin");
    await client.query(revoke, [email]);
    const observer = await server.connectBeside(client);
    const { blocked, outcome } = await startUntilBlocked(observer, auth, () =>
      confirm(auth, guest),
    );
    await client.query("commit");
    expect(blocked).toBe(true);
    expect(await outcome).toMatchObject({ status: "fulfilled" });
    expect(await membership(guest)).toBeNull();
    expect(await invitation()).toMatchObject({ accepted: false, revoked: true });
  });

  it("leave the checks with nothing to find", async () => {
    const { order } = await loadCatalog(import.meta.dirname);
    expect(await failedChecks(client, order(["base"]))).toEqual([]);
  });
});

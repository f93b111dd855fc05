import { afterAll, beforeAll, expect, it } from "vitest";
import { type Actor, asActor, createDb } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import {
  AccountExistsError,
  type Auth,
  AuthUnavailableError,
  addStaff,
  createApiKey,
  createAuth,
  ensureAccount,
  InvalidKeyError,
  identifyKey,
  MissingScopeError,
  requireScope,
  setPassword,
  WeakPasswordError,
} from "./index.server.ts";

let base: TestDatabase;
let auth: Auth;
const errors: string[] = [];
let authDb: ReturnType<typeof createDb>;
const actor: Actor = { kind: "staff", id: "cli", origin: "", correlationId: "t" };

beforeAll(async () => {
  base = await createTestDatabase();
  authDb = createDb(base.authDatabaseUrl, { applicationName: "t", onError: () => {} });
  auth = createAuth({
    db: authDb,
    appSecret: "x".repeat(40),
    publicUrl: "http://127.0.0.1:3000",
    onError: (message) => errors.push(message),
  });
});
const makeKey = (owner: Parameters<typeof createApiKey>[1]) =>
  createApiKey({ auth, db: base.db, actor }, owner);
afterAll(async () => {
  await authDb.$client.end();
  await base.drop();
});

it("makes staff who hold keys with exactly the scopes given", async () => {
  const { userId } = await addStaff(
    { db: base.db, actor },
    { email: "Kim@Example.com", name: "Kim", role: "admin" },
  );
  const { key, keyId } = await makeKey({ userId, name: "test", scopes: ["queue:read"] });
  const holder = await identifyKey(auth, key);
  expect(holder).toMatchObject({ userId, scopes: ["queue:read"] });
  expect(() => requireScope(holder, "queue:read")).not.toThrow();
  expect(() => requireScope(holder, "audit:read")).toThrow(MissingScopeError);
  const { rows } = await base.admin.query("select key from auth.apikey");
  expect(rows[0].key).not.toContain(key.slice(8));
  const audited = await base.admin.query("select action from audit_log order by id");
  expect(audited.rows.map((row) => row.action)).toEqual([
    "account.user.insert",
    "staff.add",
    "account.apikey.insert",
    "key.create",
  ]);
  const made = await base.admin.query(
    "select actor_kind, actor_id, subject_id, data from audit_log where action = 'key.create'",
  );
  expect(made.rows).toEqual([
    {
      actor_kind: "staff",
      actor_id: "cli",
      subject_id: keyId,
      data: { userId, scopes: ["queue:read"] },
    },
  ]);
});

it("refuses unknown, altered and disabled keys alike", async () => {
  const { rows } = await base.admin.query('select id from auth."user"');
  const { key, keyId } = await makeKey({ userId: rows[0].id, name: "k", scopes: [] });
  for (const wrong of ["", "berth_nothing", `${key}x`, "x".repeat(5000)]) {
    await expect(identifyKey(auth, wrong)).rejects.toThrow(InvalidKeyError);
  }
  expect(errors).toEqual([]);
  await base.admin.query("update auth.apikey set enabled = false where id = $1", [keyId]);
  await expect(identifyKey(auth, key)).rejects.toThrow(InvalidKeyError);
});

it("makes one of the staff of who has an account already, once", async () => {
  const email = "known@example.com";
  const api: Actor = { ...actor, kind: "api" };
  const known = await asActor(base.db, api, (tx) => ensureAccount(tx, { email, name: "Known" }));
  const add = () =>
    addStaff({ db: base.db, actor }, { email: "KNOWN@example.com", name: "K", role: "operator" });
  const attempts = await Promise.allSettled([add(), add(), add()]);
  const added = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  expect(added).toEqual([{ userId: known.userId }]);
  await expect(add()).rejects.toThrow(AccountExistsError);
  await base.admin.query("update admin_users set deactivated_at = now() where user_id = $1", [
    known.userId,
  ]);
  await expect(add()).rejects.toThrow(AccountExistsError);
  const { rows } = await base.admin.query(
    "select 1 from audit_log where action = 'staff.add' and subject_id = $1",
    [known.userId],
  );
  expect(rows).toHaveLength(1);
});

it("leaves no account behind where it could not put a person on the staff", async () => {
  const half = { email: "half@example.com", name: "Half", role: "operator" as const, capacity: -1 };
  await expect(addStaff({ db: base.db, actor }, half)).rejects.toThrow();
  const { rows } = await base.admin.query(`select 1 from auth."user" where email = $1`, [
    half.email,
  ]);
  expect(rows).toEqual([]);
});

it("does not call a good key invalid because its own database failed", async () => {
  const { rows } = await base.admin.query('select id from auth."user" limit 1');
  const { key } = await makeKey({ userId: rows[0].id, name: "good", scopes: [] });
  const unavailable = { code: "auth_unavailable", retryable: true };
  await base.admin.query(`
    create function fail() returns trigger language plpgsql as $$ begin raise 'failed'; end $$;
    create trigger fail before update on auth.apikey for each row execute function fail()`);
  await expect(identifyKey(auth, key)).rejects.toMatchObject(unavailable);
  await base.admin.query("drop trigger fail on auth.apikey; drop function fail()");
  await base.admin.query("alter table auth.apikey rename to away");
  await expect(identifyKey(auth, key)).rejects.toThrow(AuthUnavailableError);
  await base.admin.query("alter table auth.away rename to apikey");
  expect(await identifyKey(auth, key)).toMatchObject({ userId: rows[0].id });
});

it("sets a password once and again, ends sessions, and refuses weak ones", async () => {
  const { rows } = await base.admin.query('select id, email from auth."user"');
  const { id: userId, email } = rows[0];
  const signIn = (password: string) =>
    auth.api.signInEmail({ body: { email, password } }).then(
      () => "in",
      () => "refused",
    );
  await setPassword(auth, userId, "harbour crane lantern");
  expect(await signIn("harbour crane lantern")).toBe("in");
  await setPassword(auth, userId, "another crane lantern");
  const sessions = await base.admin.query("select 1 from auth.session");
  expect(sessions.rowCount).toBe(0);
  expect(await signIn("harbour crane lantern")).toBe("refused");
  expect(await signIn("another crane lantern")).toBe("in");
  for (const weak of ["short", "aaaaaaaaaaaaaa", "x".repeat(129)]) {
    await expect(setPassword(auth, userId, weak)).rejects.toThrow(WeakPasswordError);
  }
});

it("takes the password and sessions of an unproved address away when the house makes something for it", async () => {
  const api: Actor = { ...actor, kind: "api" };
  const ensure = (email: string) =>
    asActor(base.db, api, (tx) => ensureAccount(tx, { email, name: "Customer" }));
  const signInAs = (email: string, password: string) =>
    auth.api.signInEmail({ body: { email, password } }).then(
      () => "in",
      () => "refused",
    );
  // Somebody signed up with an address that may not be theirs, and stays signed in.
  const { userId } = await ensure("victim@example.com");
  await setPassword(auth, userId, "the strangers password");
  expect(await signInAs("victim@example.com", "the strangers password")).toBe("in");
  expect(await ensure("VICTIM@example.com")).toEqual({
    userId,
    hasPassword: false,
    disowned: true,
  });
  expect(await signInAs("victim@example.com", "the strangers password")).toBe("refused");
  const { rowCount } = await base.admin.query("select 1 from auth.session where user_id = $1", [
    userId,
  ]);
  expect(rowCount).toBe(0);

  // Its owner chooses one by a mailed link: from then on it stays.
  await setPassword(auth, userId, "the owners own password", { addressProven: true });
  expect(await ensure("victim@example.com")).toEqual({
    userId,
    hasPassword: true,
    disowned: false,
  });
  expect(await signInAs("victim@example.com", "the owners own password")).toBe("in");
});

it("leaves the password of staff alone, whoever sends in a customer of that address", async () => {
  const { userId } = await addStaff(
    { db: base.db, actor },
    { email: "desk@example.com", name: "Desk", role: "admin" },
  );
  await setPassword(auth, userId, "set by the house itself");
  const api: Actor = { ...actor, kind: "api" };
  const again = await asActor(base.db, api, (tx) =>
    ensureAccount(tx, { email: "desk@example.com", name: "x" }),
  );
  expect(again).toEqual({ userId, hasPassword: true, disowned: false });
});

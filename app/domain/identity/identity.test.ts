import { afterAll, beforeAll, expect, it } from "vitest";
import { type Actor, createDb } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import {
  type Auth,
  addStaff,
  createApiKey,
  createAuth,
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
    secret: "x".repeat(40),
    publicUrl: "http://127.0.0.1:3000",
    onError: (message) => errors.push(message),
  });
});
afterAll(async () => {
  await authDb.$client.end();
  await base.drop();
});

it("makes staff who hold keys with exactly the scopes given", async () => {
  const { userId } = await addStaff(
    { auth, db: base.db, actor },
    { email: "Kim@Example.com", name: "Kim", role: "admin" },
  );
  const { key } = await createApiKey(auth, { userId, name: "test", scopes: ["queue:read"] });
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
  ]);
});

it("refuses unknown, altered and disabled keys alike", async () => {
  const { rows } = await base.admin.query('select id from auth."user"');
  const { key, keyId } = await createApiKey(auth, { userId: rows[0].id, name: "k", scopes: [] });
  for (const wrong of ["", "berth_nothing", `${key}x`, "x".repeat(5000)]) {
    await expect(identifyKey(auth, wrong)).rejects.toThrow(InvalidKeyError);
  }
  expect(errors).toEqual([]);
  await base.admin.query("update auth.apikey set enabled = false where id = $1", [keyId]);
  await expect(identifyKey(auth, key)).rejects.toThrow(InvalidKeyError);
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

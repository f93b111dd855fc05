import { afterAll, beforeAll, expect, it } from "vitest";
import { createDb } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import {
  type Auth,
  createAuth,
  readVisitor,
  SignInRefusedError,
  signUp,
  WeakPasswordError,
} from "./index.server.ts";

let base: TestDatabase;
let auth: Auth;
let authDb: ReturnType<typeof createDb>;
const errors: string[] = [];

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
afterAll(async () => {
  await authDb.$client.end();
  await base.drop();
});

const password = "harbour crane lantern";
const join = (email: string, secret = password) =>
  signUp(auth, { email, name: "Ann Example", password: secret }, new Headers());
const accounts = async (email: string) =>
  (
    await base.admin.query(
      `select u.id, u.email_verified, count(a.id)::int as passwords from auth."user" u
       left join auth.account a on a.user_id = u.id where u.email = $1 group by u.id`,
      [email],
    )
  ).rows;
const visitorOf = (cookies: Headers) =>
  readVisitor(
    { auth, db: base.db },
    new Headers({
      cookie: cookies
        .getSetCookie()
        .map((cookie) => cookie.split(";", 1)[0])
        .join("; "),
    }),
  );

it("makes an account with its password, and a session", async () => {
  const { userId, isNew, cookies } = await join("ann@example.com");
  expect(isNew).toBe(true);
  expect(await accounts("ann@example.com")).toEqual([
    { id: userId, email_verified: false, passwords: 1 },
  ]);
  expect(await visitorOf(cookies)).toMatchObject({ userId, email: "ann@example.com", role: null });
});

it("has no role on the staff until its address is proved", async () => {
  const { userId, cookies } = await join("early@example.com");
  await base.admin.query("insert into admin_users (user_id, role) values ($1, 'admin')", [userId]);
  expect(await visitorOf(cookies)).toMatchObject({ userId, role: null });
  await base.admin.query(`update auth."user" set email_verified = true where id = $1`, [userId]);
  expect(await visitorOf(cookies)).toMatchObject({ userId, role: "admin" });
});

it("opens the account that is there with its own password, and with no other", async () => {
  const first = await join("known@example.com");
  const again = await join("known@example.com");
  expect(again).toMatchObject({ userId: first.userId, isNew: false });
  expect(await visitorOf(again.cookies)).toMatchObject({ userId: first.userId });
  await expect(join("known@example.com", "another crane lantern")).rejects.toThrow(
    SignInRefusedError,
  );
  expect(await accounts("known@example.com")).toHaveLength(1);
});

it("refuses an account without a password, and gives it none", async () => {
  await base.admin.query(
    `insert into auth."user" (id, name, email, email_verified) values ('n', 'N', 'none@example.com', false)`,
  );
  await expect(join("none@example.com")).rejects.toThrow(SignInRefusedError);
  expect(await accounts("none@example.com")).toMatchObject([{ passwords: 0 }]);
});

it("makes one account where several ask at once", async () => {
  const joined = await Promise.all([1, 2, 3, 4].map(() => join("race@example.com")));
  expect(new Set(joined.map(({ userId }) => userId)).size).toBe(1);
  expect(joined.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(await accounts("race@example.com")).toMatchObject([{ passwords: 1 }]);
});

it("refuses weak passwords, and leaves no half account where the database fails", async () => {
  for (const weak of ["short", "aaaaaaaaaaaaaa", "x".repeat(129)]) {
    await expect(join("weak@example.com", weak)).rejects.toThrow(WeakPasswordError);
  }
  expect(await accounts("weak@example.com")).toEqual([]);
  await base.admin.query(`
    create function fail() returns trigger language plpgsql as $$ begin raise 'failed'; end $$;
    create trigger fail before insert on auth.account for each row execute function fail()`);
  await expect(join("half@example.com")).rejects.toThrow();
  await base.admin.query("drop trigger fail on auth.account; drop function fail()");
  expect(await accounts("half@example.com")).toEqual([]);
});

/** Accounts as Supabase's Auth makes and changes them, for tests in which their address matters. */
import { randomUUID } from "node:crypto";
import type { Actor, Auth } from "./acting.ts";

/** Somebody with an account, signed in. */
export type Person = Actor & { id: string; email: string };

/** Creates an account with an address that is confirmed already, or not yet. */
export async function signUp(
  auth: Auth,
  email: string,
  { confirmed = false, sso = false, metadata = {} as object } = {},
): Promise<Person> {
  const id = randomUUID();
  await auth.query(
    `insert into auth.users
       (id, aud, role, email, email_confirmed_at, is_sso_user, raw_user_meta_data)
     values ($1, 'authenticated', 'authenticated', $2, case when $3 then now() end, $4, $5)`,
    [id, email, confirmed, sso, JSON.stringify(metadata)],
  );
  return { role: "authenticated", id, email };
}

/** What Auth writes when somebody follows the link that was mailed to the account's address. */
export const confirm = (auth: Auth, { id }: Person) =>
  auth.query(
    "update auth.users set confirmation_token = '', email_confirmed_at = now() where id = $1",
    [id],
  );

/** What Auth writes when somebody follows the link that was mailed to the address they move to. */
export const moveTo = (auth: Auth, { id }: Person, email: string) =>
  auth.query("update auth.users set email = $2, email_change = '' where id = $1", [id, email]);

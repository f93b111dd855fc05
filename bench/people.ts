import { createHmac } from "node:crypto";
import type pg from "pg";
import { deriveKey } from "#app/platform/crypto/derive.ts";
import { APP_SECRET } from "./berth.ts";

/** Who may do what those who are signed in only watch. */
export const SUPERVISOR = "supervisor";

/**
 * Makes members of the staff, each with an open session, and a supervisor.
 * @returns a cookie of each, signed as better-auth signs it: the token's HMAC-SHA-256
 */
export async function signInStaff(admin: pg.Client, count: number): Promise<string[]> {
  await admin.query(
    `with people as (
       insert into auth."user" (id, name, email, email_verified)
       select id, id, id || '@berth.example', true
       from (select 'member-' || n as id from generate_series(1, ${count}) n
             union all select '${SUPERVISOR}') ids
       returning id),
     passwords as (
       insert into auth.account (id, user_id, account_id, provider_id, password)
       select gen_random_uuid(), id, id, 'credential', 'unused' from people)
     insert into public.admin_users (user_id, role)
     select id, case id when '${SUPERVISOR}' then 'supervisor' else 'admin' end from people`,
  );
  const { rows } = await admin.query<{ token: string }>(
    `insert into auth.session (id, user_id, token, expires_at)
     select gen_random_uuid(), 'member-' || n, 'token-' || gen_random_uuid(), now() + '7 days'
     from generate_series(1, ${count}) n
     returning token`,
  );
  const key = deriveKey(APP_SECRET, "better-auth").toString("base64");
  return rows.map(({ token }) => {
    const signature = createHmac("sha256", key).update(token).digest("base64");
    return `berth.session_token=${encodeURIComponent(`${token}.${signature}`)}`;
  });
}

import type { PoolClient } from "pg";
import type { Call } from "../../platform/http.ts";
import { type GatewayContext, readBearer } from "../context.ts";
import { fromDatabase, RestRefusal } from "./errors.ts";

const unauthorized = (code: string, message: string) =>
  new RestRefusal(401, code, message, {
    headers: {
      "www-authenticate": `Bearer error="invalid_token", error_description="${message}"`,
    },
  });

/** The role and the claims of the caller: without a token he is anon. */
async function callerOf(call: Call, context: GatewayContext) {
  const bearer = await readBearer(call, context);
  if (bearer.kind === "bad") {
    throw bearer.reason.endsWith("token is expired")
      ? unauthorized("PGRST303", "JWT expired")
      : unauthorized("PGRST301", "JWT could not be verified");
  }
  if (bearer.kind === "token" && bearer.role) return bearer;
  const claims = bearer.kind === "token" ? bearer.claims : {};
  return { role: "anon", claims: { ...claims, role: "anon" } };
}

/** A role's own settings do not come with `set role`: they are read before it, and set by hand. */
const ROLE_SETTINGS = `
  select set_config(split_part(line, '=', 1), substr(line, strpos(line, '=') + 1), true)
  from pg_db_role_setting s join pg_roles r on r.oid = s.setrole, unnest(s.setconfig) as line
  where r.rolname = $1 and s.setdatabase = 0
    and exists (select from pg_settings p where p.name = split_part(line, '=', 1) and p.context = 'user')`;

const CALLER = `
  select set_config('search_path', '"public", "extensions"', true),
    set_config('request.jwt.claims', $1, true), set_config('request.method', $2, true),
    set_config('request.path', $3, true), set_config('role', $4, true)`;

/**
 * Runs `work` in one transaction as the caller's role, with his claims where the policies look for
 * them. Throws RestRefusal, also for what the database refuses; nothing is kept then.
 */
export async function asCaller<T>(
  call: Call,
  context: GatewayContext,
  access: "read only" | "read write",
  work: (sql: PoolClient) => Promise<T>,
): Promise<T> {
  const { role, claims } = await callerOf(call, context);
  const pool = await context.databases.pool(context.project, "authenticator");
  const client = await pool.connect().catch(() => {
    throw new RestRefusal(503, "PGRST000", "Database connection error. Retrying the connection.");
  });
  let broken = false;
  try {
    await client.query(`begin ${access}`);
    await client.query(ROLE_SETTINGS, [role]);
    const path = call.path.slice("/rest/v1".length);
    await client.query(CALLER, [JSON.stringify(claims), call.method, path, role]);
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {
      broken = true;
    });
    if (error instanceof RestRefusal) throw error;
    throw fromDatabase(error, role) ?? error;
  } finally {
    client.release(broken);
  }
}

/** Acting in a customer's database as PostgREST does: a role, and the claims of a token. */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { ProjectServer } from "./fresh-database.ts";

/** Who asks: a role of the API and, for people, the id of their account. */
export interface Actor {
  role: "anon" | "authenticated" | "service_role";
  id?: string;
}

export const anon: Actor = { role: "anon" };
export const service: Actor = { role: "service_role" };

/** Runs one statement in a transaction of its own, with an actor's rights. */
export async function act<Row extends pg.QueryResultRow = Record<string, unknown>>(
  client: pg.Client,
  actor: Actor,
  sql: string,
  values: unknown[] = [],
): Promise<pg.QueryResult<Row>> {
  const claims = JSON.stringify({ role: actor.role, sub: actor.id });
  await client.query("begin");
  try {
    await client.query(`set local role ${actor.role}`);
    await client.query("select set_config('request.jwt.claims', $1, true)", [claims]);
    const result = await client.query<Row>(sql, values);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** Calls a function as the API's rpc does, with arguments by name; answers what it returns. */
export async function call(
  client: pg.Client,
  actor: Actor,
  name: string,
  values: Record<string, unknown>,
): Promise<unknown> {
  const names = Object.keys(values).map((key, index) => `${key} => $${index + 1}`);
  const sql = `select public.${name}(${names.join(", ")}) as answer`;
  const given = Object.values(values).map((value) =>
    typeof value === "object" ? JSON.stringify(value) : value,
  );
  const { rows } = await act(client, actor, sql, given);
  return rows[0]?.answer;
}

/**
 * Starts an act in a session and answers, without waiting for its end, as soon as that session
 * waits for a lock or the act has ended.
 */
export async function startUntilBlocked<T>(
  observer: pg.Client,
  session: pg.Client,
  start: () => Promise<T>,
): Promise<{ blocked: boolean; outcome: Promise<PromiseSettledResult<T>> }> {
  const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
  let ended = false;
  const outcome = Promise.allSettled([start()]).then(([result]) => {
    ended = true;
    return result;
  });
  for (;;) {
    if (ended) return { blocked: false, outcome };
    const sql = "select cardinality(pg_blocking_pids($1)) > 0 as blocked";
    const { rows: state } = await observer.query<{ blocked: boolean }>(sql, [rows[0]?.pid]);
    if (state[0]?.blocked) return { blocked: true, outcome };
  }
}

export type Auth = Awaited<ReturnType<ProjectServer["connectAsAuth"]>>;

/** Creates an account as Supabase's Auth does; answers who may then act. */
export async function createAccount(
  auth: Auth,
  metadata: { app?: object; user?: object } = {},
): Promise<Actor & { id: string }> {
  const id = randomUUID();
  await auth.query(
    `insert into auth.users (id, aud, role, email, raw_app_meta_data, raw_user_meta_data)
     values ($1, 'authenticated', 'authenticated', $2, $3, $4)`,
    [
      id,
      `${id}@example.test`,
      JSON.stringify(metadata.app ?? {}),
      JSON.stringify(metadata.user ?? {}),
    ],
  );
  return { role: "authenticated", id };
}

/** A company's people, one of each role, and a stranger with a valid token. */
export async function createPeople(client: pg.Client, auth: Auth) {
  const owner = await createAccount(auth, { app: { berth_role: "owner" } });
  const hire = async (role: string) => {
    const person = await createAccount(auth);
    const sql = "insert into public.members (user_id, role) values ($1, $2::public.member_role)";
    await act(client, owner, sql, [person.id, role]);
    return person;
  };
  return {
    owner,
    manager: await hire("manager"),
    staff: await hire("staff"),
    viewer: await hire("viewer"),
    stranger: await createAccount(auth),
  };
}

export type People = Awaited<ReturnType<typeof createPeople>>;

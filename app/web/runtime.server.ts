import { sql } from "drizzle-orm";
import { type Auth, createAuth, livingSessions } from "#app/domain/identity/index.server.ts";
import { openServices, type Services } from "#app/domain/services.server.ts";
import type { Env } from "#app/platform/env.ts";
import type { Logger } from "#app/platform/log.ts";
import { createDb, type Db } from "#db/index.ts";
import { type Hub, openHub } from "./live/hub.ts";

/** What the web process holds for the length of its life; handed to every loader and action. */
export interface Runtime {
  services: Services;
  auth: Auth;
  /** Tells those who watch of changes. */
  hub: Hub;
  publicUrl: string;
  /** Where people open their Supabase projects. */
  dashboardUrl: string;
  log: Logger;
  /** Rejects while requests cannot be served. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** @throws what {@link openServices} throws: a process that cannot do its work does not start. */
export async function createRuntime(env: Env, log: Logger): Promise<Runtime> {
  const services = await openServices(env, log, { applicationName: "berth-web", connections: 20 });
  const authDb: Db = createDb(env.authDatabaseUrl, {
    max: 10,
    applicationName: "berth-auth",
    onError: (error) => log.warn({ err: error }, "an idle database connection was lost"),
  });
  const auth = createAuth({
    db: authDb,
    appSecret: env.appSecret,
    publicUrl: env.publicUrl,
    onError: (message, cause) => log.error({ err: cause }, message),
  });
  const hub = openHub({
    db: services.db,
    connectionString: env.databaseUrl,
    log,
    livingSessions: (ids) => livingSessions(authDb, ids),
  });
  return {
    services,
    auth,
    hub,
    publicUrl: env.publicUrl,
    dashboardUrl: env.supabase.dashboardUrl,
    log,
    async ready() {
      await services.ready();
      await authDb.execute(sql`select 1`);
    },
    async close() {
      await hub.close();
      await Promise.all([services.close(), authDb.$client.end()]);
    },
  };
}

import { type Auth, createAuth } from "#app/domain/identity/index.server.ts";
import type { Env } from "#app/platform/env.ts";
import { createDb, type Db } from "#db/index.ts";

/** What a command needs to make people and keys; close it when it is done. */
export interface Identity {
  db: Db;
  auth: Auth;
  close(): Promise<void>;
}

/** Opens both log-ins with few connections. `onError` is told of what went wrong inside better-auth. */
export function openIdentity(
  env: Env,
  applicationName: string,
  onError: (message: string) => void,
): Identity {
  const connection = { applicationName, onError: () => {}, max: 2 };
  const db = createDb(env.databaseUrl, connection);
  const authDb = createDb(env.authDatabaseUrl, connection);
  const { appSecret, publicUrl } = env;
  return {
    db,
    auth: createAuth({ db: authDb, appSecret, publicUrl, onError }),
    async close() {
      await Promise.all([db.$client.end(), authDb.$client.end()]);
    },
  };
}

import { readFile } from "node:fs/promises";
import {
  createManagementClient,
  type ManagementClient,
} from "#app/integrations/supabase/management.ts";
import { deriveKey } from "#app/platform/crypto/derive.ts";
import type { Env } from "#app/platform/env.ts";
import type { Logger } from "#app/platform/log.ts";
import { createOutboundGuard, type OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import { type Catalog, loadCatalog, syncCatalog } from "./catalog/index.server.ts";
import { requireCurrentSchema } from "./schema-version.server.ts";
import { createKeyring, createVault, type Vault } from "./vault/index.server.ts";

/** What the domain's commands work with, in every process alike. */
export interface Services {
  db: Db;
  vault: Vault;
  catalog: Catalog;
  guard: OutboundGuard;
  /** PEM of the one authority that signs customers' databases; the system's own ones if absent. */
  databaseCa: string | undefined;
  /** Absent where Berth has no access token. */
  management: ManagementClient | null;
  /** Keys the tokens of one-time links. */
  linkKey: Buffer;
  /** Keys the hashes of bodies that are sent under an Idempotency-Key. */
  repetitionKey: Buffer;
  /** Rejects while the database is away, or too old. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

const BOOT: Actor = { kind: "worker", id: "boot", origin: "", correlationId: "" };

/**
 * Opens what the configuration names, proves that the keys are the ones that sealed what is stored,
 * and writes the shipped catalogue down.
 * @throws UnknownKeyError, WrongKeyError, whatever is wrong with a template, or the database's error:
 * a process that cannot do its work does not start.
 */
export async function openServices(
  env: Env,
  log: Logger,
  options: { applicationName: string; connections: number },
): Promise<Services> {
  const catalog = await loadCatalog(env.featureTemplatesDir);
  const keyring = createKeyring(env.encryptionKeys);
  const vault = createVault(keyring, deriveKey(env.appSecret, "secret fingerprints"));
  const guard = createOutboundGuard({
    allowSuffixes: env.outboundAllowSuffixes,
    allowOrigins: env.outboundAllowOrigins,
  });
  const { managementUrl, accessToken, caFile } = env.supabase;
  const databaseCa = caFile === undefined ? undefined : await readFile(caFile, "utf8");
  const db = createDb(env.databaseUrl, {
    max: options.connections,
    applicationName: options.applicationName,
    onError: (error) => log.warn({ err: error }, "an idle database connection was lost"),
  });
  try {
    await requireCurrentSchema(db, BOOT);
    await vault.verifyKeys(db, BOOT);
    await asActor(db, BOOT, (tx) => syncCatalog(tx, catalog));
  } catch (error) {
    await db.$client.end();
    throw error;
  }
  return {
    db,
    vault,
    catalog,
    guard,
    databaseCa,
    management:
      accessToken === undefined
        ? null
        : createManagementClient({ baseUrl: managementUrl, accessToken, guard }),
    linkKey: deriveKey(env.appSecret, "one-time links"),
    repetitionKey: deriveKey(env.appSecret, "idempotency"),
    ready: () => requireCurrentSchema(db, BOOT),
    close: () => db.$client.end(),
  };
}

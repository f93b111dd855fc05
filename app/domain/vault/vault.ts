import { createHmac } from "node:crypto";
import { and, eq } from "drizzle-orm";
import { UnsealError } from "#app/platform/crypto/aes-gcm.ts";
import { type Actor, asActor, type Db, type Tx } from "#db/index.ts";
import { dataKeys, sealedSecrets, vaultCanaries } from "#db/vault.ts";
import { recordAudit } from "../audit/index.server.ts";
import { SecretMissingError, WrongKeyError } from "./errors.ts";
import {
  makeDataKey,
  openCanary,
  openField,
  sealCanary,
  sealField,
  unwrapDataKey,
} from "./format.ts";
import type { Keyring } from "./keyring.ts";

/** Which credentials: a backend's, of one generation. */
export interface SecretRef {
  backendId: string;
  generation: number;
}

/** What a person may see of a secret once it is sealed. */
export interface SecretTrace {
  field: string;
  lastFour: string;
  fingerprint: string;
}

/** From this length on, four characters tell nothing that matters. */
const SHORTEST_WITH_TRACE = 16;

export interface Vault {
  /**
   * Seals all fields of one generation under a fresh data key, in the caller's transaction.
   * @throws SecretNotStorableError
   */
  seal(
    context: { tx: Tx; actor: Actor; requestId?: string },
    ref: SecretRef,
    purpose: string,
    fields: Record<string, string>,
  ): Promise<void>;
  /**
   * Opens all fields for the length of `work`; each use is audited before anything is opened.
   * @throws SecretMissingError, UnknownKeyError, UnsealError
   */
  use<T>(
    context: { db: Db; actor: Actor; requestId?: string },
    ref: SecretRef,
    purpose: string,
    work: (fields: Record<string, string>) => Promise<T>,
  ): Promise<T>;
  /** Last four characters and fingerprints, as the desk shows them. */
  traces(tx: Tx, ref: SecretRef): Promise<SecretTrace[]>;
  /**
   * Proves at boot that the keyring is the one that sealed what is stored, and plants a canary for
   * each key that has none.
   * @throws UnknownKeyError, WrongKeyError
   */
  verifyKeys(db: Db, actor: Actor): Promise<void>;
}

/** The only place that seals and opens. `fingerprintKey`: 32 bytes that tell equal secrets apart from others. */
export function createVault(keyring: Keyring, fingerprintKey: Buffer): Vault {
  const fingerprint = (text: string) =>
    createHmac("sha256", fingerprintKey).update(text).digest("hex").slice(0, 12);

  return {
    async seal({ tx, actor, requestId }, ref, purpose, fields) {
      const { dataKey, keyId, wrapped } = makeDataKey(keyring, ref);
      try {
        await tx.insert(dataKeys).values({ ...ref, keyId, wrapped });
        await tx.insert(sealedSecrets).values(
          Object.entries(fields).map(([field, text]) => ({
            ...ref,
            field,
            purpose,
            sealed: sealField(dataKey, { ...ref, field, purpose }, text),
            lastFour: text.length >= SHORTEST_WITH_TRACE ? text.slice(-4) : "",
            fingerprint: fingerprint(text),
          })),
        );
      } finally {
        dataKey.fill(0);
      }
      await recordAudit(tx, actor, {
        action: "secret.seal",
        subjectKind: "backend",
        subjectId: ref.backendId,
        requestId,
        data: { generation: ref.generation, purpose, fields: Object.keys(fields) },
      });
    },

    async use({ db, actor, requestId }, ref, purpose, work) {
      const stored = await asActor(db, actor, async (tx) => {
        await recordAudit(tx, actor, {
          action: "secret.use",
          subjectKind: "backend",
          subjectId: ref.backendId,
          requestId,
          data: { generation: ref.generation, purpose },
        });
        const place = and(
          eq(dataKeys.backendId, ref.backendId),
          eq(dataKeys.generation, ref.generation),
        );
        const [key] = await tx.select().from(dataKeys).where(place);
        const rows = await tx
          .select()
          .from(sealedSecrets)
          .where(
            and(
              eq(sealedSecrets.backendId, ref.backendId),
              eq(sealedSecrets.generation, ref.generation),
            ),
          );
        return { key, rows };
      });
      if (!stored.key || stored.rows.length === 0) throw new SecretMissingError();
      const dataKey = unwrapDataKey(keyring, ref, stored.key.keyId, stored.key.wrapped);
      const fields: Record<string, string> = {};
      try {
        for (const { field, purpose: sealedFor, sealed } of stored.rows) {
          fields[field] = openField(dataKey, { ...ref, field, purpose: sealedFor }, sealed);
        }
      } finally {
        dataKey.fill(0);
      }
      return work(fields);
    },

    async traces(tx, ref) {
      return tx
        .select({
          field: sealedSecrets.field,
          lastFour: sealedSecrets.lastFour,
          fingerprint: sealedSecrets.fingerprint,
        })
        .from(sealedSecrets)
        .where(
          and(
            eq(sealedSecrets.backendId, ref.backendId),
            eq(sealedSecrets.generation, ref.generation),
          ),
        )
        .orderBy(sealedSecrets.field);
    },

    async verifyKeys(db, actor) {
      await asActor(db, actor, async (tx) => {
        // Two processes may boot at once: of each key the first canary stands, and is then opened like
        // any other. In the order of their names, since two orders could wait for each other for ever.
        for (const keyId of [...keyring.ids].sort()) {
          await tx
            .insert(vaultCanaries)
            .values({ keyId, sealed: sealCanary(keyring, keyId) })
            .onConflictDoNothing();
        }
        for (const { keyId, sealed } of await tx.select().from(vaultCanaries)) {
          try {
            openCanary(keyring, keyId, sealed);
          } catch (error) {
            throw error instanceof UnsealError ? new WrongKeyError(keyId) : error;
          }
        }
        const used = await tx.selectDistinct({ keyId: dataKeys.keyId }).from(dataKeys);
        for (const { keyId } of used) keyring.get(keyId);
      });
    },
  };
}

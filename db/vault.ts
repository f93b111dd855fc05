/** Sealed secrets: wrapped data keys, sealed fields, and the canary of each master key. */
import { customType, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { setAtInsert } from "./columns.ts";

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => "bytea" });

/** One data key per backend and generation, wrapped by the master key `key_id`. */
export const dataKeys = pgTable(
  "data_keys",
  {
    backendId: uuid("backend_id").notNull(),
    generation: integer("generation").notNull(),
    keyId: text("key_id").notNull(),
    wrapped: bytea("wrapped").notNull(),
    createdAt: setAtInsert("created_at"),
  },
  (t) => [primaryKey({ columns: [t.backendId, t.generation] })],
);

export const sealedSecrets = pgTable(
  "sealed_secrets",
  {
    backendId: uuid("backend_id").notNull(),
    generation: integer("generation").notNull(),
    field: text("field").notNull(),
    purpose: text("purpose").notNull(),
    sealed: bytea("sealed").notNull(),
    /** The last four characters, and the first 12 hex digits of a keyed hash: all a person sees. */
    lastFour: text("last_four").notNull(),
    fingerprint: text("fingerprint").notNull(),
    createdAt: setAtInsert("created_at"),
  },
  (t) => [primaryKey({ columns: [t.backendId, t.generation, t.field] })],
);

/** A known text sealed under each master key: a wrong key is found at boot, not at first use. */
export const vaultCanaries = pgTable("vault_canaries", {
  keyId: text("key_id").primaryKey(),
  sealed: bytea("sealed").notNull(),
  createdAt: setAtInsert("created_at"),
});

/** What the API remembers between calls: answers already given, and budgets already spent. */
import { index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { instant, setAtInsert } from "./columns.ts";

export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    /** The API key's owner: two callers may use the same word. */
    ownerId: text("owner_id").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of the canonical body, in hex. */
    bodyHash: text("body_hash").notNull(),
    status: integer("status").notNull(),
    answer: jsonb("answer").$type<Record<string, unknown>>().notNull(),
    createdAt: setAtInsert("created_at"),
  },
  (t) => [
    primaryKey({ columns: [t.ownerId, t.key] }),
    index("idempotency_keys_created_at_idx").on(t.createdAt),
  ],
);

export const rateLimits = pgTable(
  "rate_limits",
  {
    bucket: text("bucket").notNull(),
    windowStart: instant("window_start").notNull(),
    spent: integer("spent").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.bucket, t.windowStart] }),
    index("rate_limits_window_start_idx").on(t.windowStart),
  ],
);

/** The wizard's drafts. A draft never holds a password, and its credentials stand sealed in the vault. */
import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { user } from "./auth.ts";
import { id, setAtInsert } from "./columns.ts";
import { provisioningQueue } from "./queue.ts";

export const onboardingDrafts = pgTable(
  "onboarding_drafts",
  {
    id: id(),
    userId: text("user_id")
      .notNull()
      .references(() => user.id),
    /** What each completed step answered; domain/onboarding knows its shape. */
    answers: jsonb("answers").$type<Record<string, unknown>>().notNull().default({}),
    /** Grows with each change: two tabs cannot undo each other unseen. */
    version: integer("version").notNull().default(1),
    /** Under which id the credentials of the customer's own project are sealed. */
    backendId: uuid("backend_id"),
    /** What became of it; a draft is submitted once. */
    requestId: uuid("request_id").references(() => provisioningQueue.id),
    createdAt: setAtInsert("created_at"),
    updatedAt: setAtInsert("updated_at"),
  },
  (t) => [
    uniqueIndex("onboarding_drafts_open_key").on(t.userId).where(sql`request_id is null`),
    uniqueIndex("onboarding_drafts_backend_id_key").on(t.backendId),
    index("onboarding_drafts_user_id_idx").on(t.userId),
    index("onboarding_drafts_request_id_idx").on(t.requestId),
    index("onboarding_drafts_updated_at_idx").on(t.updatedAt).where(sql`request_id is null`),
  ],
);

/** Staff: who works the desk, how much each can carry, and who is on duty. */
import { sql } from "drizzle-orm";
import { boolean, check, integer, pgTable, text } from "drizzle-orm/pg-core";
import { user } from "./auth.ts";
import { instant, setAtInsert } from "./columns.ts";

export const STAFF_ROLES = ["admin", "supervisor", "operator"] as const;

export const adminUsers = pgTable(
  "admin_users",
  {
    userId: text("user_id")
      .primaryKey()
      .references(() => user.id),
    role: text("role", { enum: STAFF_ROLES }).notNull(),
    /** How many requests this person can carry at once. */
    capacity: integer("capacity").notNull().default(10),
    regions: text("regions").array().notNull().default(sql`'{}'`),
    skills: text("skills").array().notNull().default(sql`'{}'`),
    onDuty: boolean("on_duty").notNull().default(true),
    createdAt: setAtInsert("created_at"),
    deactivatedAt: instant("deactivated_at"),
  },
  (t) => [
    check("admin_users_role_known", sql`${t.role} in ('admin', 'supervisor', 'operator')`),
    check("admin_users_capacity_positive", sql`${t.capacity} >= 0`),
  ],
);

/** What can be bought and what can be installed. */
import { sql } from "drizzle-orm";
import { boolean, check, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { setAtInsert } from "./columns.ts";

export const PRIORITIES = ["vip", "high", "normal", "low"] as const;

export const plans = pgTable("plans", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  description: text("description").notNull(),
  /** In the currency's smallest unit. */
  monthlyPrice: integer("monthly_price").notNull(),
  yearlyPrice: integer("yearly_price").notNull(),
  currency: text("currency").notNull().default("EUR"),
  /** Names of the templates that the plan includes, besides `base`. */
  templates: text("templates").array().notNull(),
  position: integer("position").notNull(),
  active: boolean("active").notNull().default(true),
});

/** The promise per plan and priority, in hours. */
export const planTargets = pgTable(
  "plan_targets",
  {
    planId: text("plan_id")
      .notNull()
      .references(() => plans.id),
    priority: text("priority", { enum: PRIORITIES }).notNull(),
    hours: integer("hours").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.planId, t.priority] }),
    check("plan_targets_priority_known", sql`${t.priority} in ('vip', 'high', 'normal', 'low')`),
    check("plan_targets_hours_positive", sql`${t.hours} > 0`),
  ],
);

/** One row per version of a template; `active` is the supervisor's switch. */
export const featureTemplates = pgTable(
  "feature_templates",
  {
    name: text("name").notNull(),
    version: text("version").notNull(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    category: text("category").notNull(),
    requires: jsonb("requires").$type<{ name: string; range: string }[]>().notNull(),
    /** SHA-256 over the checksums of all its files, in hex. */
    checksum: text("checksum").notNull(),
    active: boolean("active").notNull().default(true),
    releasedAt: setAtInsert("released_at"),
  },
  (t) => [primaryKey({ columns: [t.name, t.version] })],
);

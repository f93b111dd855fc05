/** A customer: a company and the person who speaks for it. */
import { sql } from "drizzle-orm";
import { index, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { user } from "./auth.ts";
import { id, setAtInsert } from "./columns.ts";

export const customers = pgTable(
  "customers",
  {
    id: id(),
    /** The account that may see this customer; one person may speak for several companies. */
    userId: text("user_id")
      .notNull()
      .references(() => user.id),
    company: text("company").notNull(),
    contactName: text("contact_name").notNull(),
    /** Lower case; the account's address at the time. */
    email: text("email").notNull(),
    phone: text("phone"),
    /** ISO 3166-1 alpha-2. */
    country: text("country").notNull(),
    /** IANA time zone. */
    timezone: text("timezone").notNull(),
    industry: text("industry"),
    createdAt: setAtInsert("created_at"),
    updatedAt: setAtInsert("updated_at"),
  },
  (t) => [
    uniqueIndex("customers_email_company_key").on(t.email, sql`lower(${t.company})`),
    index("customers_user_id_idx").on(t.userId),
    // The desk's search, by the beginnings of words: domain/queue/search.ts has the same expression.
    index("customers_words_idx").using(
      "gin",
      sql`array_to_tsvector(array_remove(regexp_split_to_array(lower(${t.company} || ' ' || ${t.contactName} || ' ' || ${t.email}), '[^[:alnum:]]+'), ''))`,
    ),
  ],
);

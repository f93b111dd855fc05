import { sql } from "drizzle-orm";
import { timestamp, uuid } from "drizzle-orm/pg-core";
import { v7 as uuidv7 } from "uuid";

/** A primary key that grows with time, so that indexes stay dense (RFC 9562, version 7). */
export const id = () =>
  uuid("id")
    .primaryKey()
    .$defaultFn(() => uuidv7());

/** An instant, in UTC, with the precision of a JavaScript `Date`. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

/** An instant that the database sets by its own clock when the row is made. */
export const setAtInsert = (name: string) => instant(name).notNull().default(sql`berth_now()`);

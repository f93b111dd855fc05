import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";

/** Words beyond these are ignored: they narrow nothing, and each costs a look into the index. */
const MOST_WORDS = 8;

/**
 * The beginnings of words as text of a `tsquery`: all of them must be found. The database cuts the
 * words, as it did for the index; its parser for prose would take `7e39` for a number. What is left
 * of them are letters and digits, so nothing in them is an operator.
 * @returns null where the text holds no word.
 */
async function wordQuery(tx: Tx, text: string): Promise<string | null> {
  const { rows } = await tx.execute<{ words: string | null }>(sql`
    select string_agg(quote_literal(word) || ':*', ' & ') as words from (
      select word from regexp_split_to_table(lower(${text}), '[^[:alnum:]]+') as word
      where word <> '' limit ${MOST_WORDS}) as cut`);
  return rows[0]?.words ?? null;
}

/** What the desk's search box finds: a request by its id, one by its project, or all by words. */
export async function searchCondition(tx: Tx, text: string): Promise<SQL> {
  if (z.uuid().safeParse(text).success) return sql`${provisioningQueue.id} = ${text}::uuid`;
  if (/^[a-z0-9]{16,32}$/i.test(text)) {
    const { rows } = await tx.execute<{ id: string }>(
      sql`select request_id as id from ${customerBackends}
        where project_ref = ${text.toLowerCase()} and status <> 'retired'`,
    );
    const [found] = rows;
    if (found) return sql`${provisioningQueue.id} = ${found.id}::uuid`;
  }
  const words = await wordQuery(tx, text);
  if (words === null) return sql`false`;
  const found = await customersBy(tx, words);
  // Few customers are looked up one by one; a common word soon fills a page in the list's order.
  return found
    ? sql`${provisioningQueue.customerId} = any(${sql.param(found)}::uuid[])`
    : sql`${provisioningQueue.customerId} in (select c.id from ${customers} c where ${holds(words)})`;
}

/** As the index has it, letter for letter. */
const holds = (words: string) => sql`array_to_tsvector(array_remove(
    regexp_split_to_array(lower(c.company || ' ' || c.contact_name || ' ' || c.email), '[^[:alnum:]]+'), ''))
    @@ ${words}::tsquery`;

/** Up to this many customers are named one by one. */
const FEW = 5_000;

/** The customers that these words find; null where they are many. */
async function customersBy(tx: Tx, words: string): Promise<string[] | null> {
  // How many rows a beginning matches is a guess, and a wrong one reads every customer there is.
  const scan = (state: "on" | "off") =>
    tx.execute(sql`select set_config('enable_seqscan', ${state}, true)`);
  await scan("off");
  const { rows } = await tx.execute<{ id: string }>(
    sql`select c.id from ${customers} c where ${holds(words)} limit ${FEW + 1}`,
  );
  await scan("on");
  return rows.length > FEW ? null : rows.map(({ id }) => id);
}

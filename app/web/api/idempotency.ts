import { createHmac } from "node:crypto";
import { and, eq, sql } from "drizzle-orm";
import { idempotencyKeys } from "#db/api.ts";
import type { Tx } from "#db/index.ts";
import { FieldsInvalidError, IdempotencyMismatchError } from "./errors.ts";

export interface Repetition {
  ownerId: string;
  key: string;
  bodyHash: string;
}

/** JSON with its names in order, so that the same body in another order is the same. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * The call's Idempotency-Key and what it stands for; null if there is none. The body may hold
 * secrets, so its hash is keyed.
 */
export function repetitionOf(
  request: Request,
  ownerId: string,
  body: unknown,
  hashKey: Buffer,
): Repetition | null {
  const key = request.headers.get("idempotency-key");
  if (key === null) return null;
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new FieldsInvalidError([
      { field: "Idempotency-Key", message: "Use 1 to 200 printable characters without spaces." },
    ]);
  }
  return {
    ownerId,
    key,
    bodyHash: createHmac("sha256", hashKey).update(canonical(body)).digest("hex"),
  };
}

/**
 * The answer that this key and body were given before, or null. Holds back others with the same
 * key until the transaction ends.
 * @throws IdempotencyMismatchError when the body was another one.
 */
export async function earlierAnswer(
  tx: Tx,
  repetition: Repetition,
): Promise<Record<string, unknown> | null> {
  const { ownerId, key, bodyHash } = repetition;
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${ownerId} ${key}`}, 0))`);
  const [earlier] = await tx
    .select()
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.ownerId, ownerId), eq(idempotencyKeys.key, key)));
  if (!earlier) return null;
  if (earlier.bodyHash !== bodyHash) throw new IdempotencyMismatchError();
  return earlier.answer;
}

/** Remembers an answer, in the transaction of what it tells about. */
export async function rememberAnswer(
  tx: Tx,
  repetition: Repetition,
  status: number,
  answer: Record<string, unknown>,
): Promise<void> {
  await tx.insert(idempotencyKeys).values({ ...repetition, status, answer });
}

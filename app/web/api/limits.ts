import { sql } from "drizzle-orm";
import ipaddr from "ipaddr.js";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { RateLimitedError } from "./errors.ts";

/** So many calls in so many seconds. Counted in the database: it holds across processes. */
export interface Limit {
  name: string;
  calls: number;
  seconds: number;
  /** Its subject is a network address. */
  byAddress?: true;
}

/** Per API key. */
export const EACH_KEY: Limit = { name: "key", calls: 6_000, seconds: 60 };
/** Per API key, for calls that make Berth connect to addresses that a person chose. */
export const EACH_TEST: Limit = { name: "test", calls: 300, seconds: 60 };
/** Per network address, for calls without a valid key. */
export const EACH_STRANGER: Limit = { name: "stranger", calls: 60, seconds: 60, byAddress: true };

/** Attempts to sign in, per account and per network address. */
export const EACH_ACCOUNT_SIGN_IN: Limit = { name: "sign-in", calls: 10, seconds: 300 };
export const EACH_ADDRESS_SIGN_IN: Limit = {
  name: "sign-in-from",
  calls: 100,
  seconds: 300,
  byAddress: true,
};
/** Accounts made through the wizard, per network address. */
export const EACH_ADDRESS_SIGN_UP: Limit = {
  name: "sign-up-from",
  calls: 30,
  seconds: 3_600,
  byAddress: true,
};
/** Mails with a link to choose a password, per account. */
export const EACH_ACCOUNT_MAIL: Limit = { name: "password-mail", calls: 3, seconds: 3_600 };
/** Requests that a customer submits or takes back, per account: each of them mails. */
export const EACH_ACCOUNT_REQUEST: Limit = { name: "request", calls: 10, seconds: 3_600 };
/** Connection tests that a person starts, per account. */
export const EACH_PERSON_TEST: Limit = { name: "person-test", calls: 30, seconds: 60 };

/**
 * Spends one call of a budget.
 * @throws RateLimitedError when it is used up until the window ends.
 */
export async function spend(db: Db, actor: Actor, limit: Limit, subject: string): Promise<void> {
  const counted = limit.byAddress ? networkOf(subject) : subject;
  const { rows } = await asActor(db, actor, (tx) =>
    tx.execute<{ spent: number; left: number }>(sql`
      insert into rate_limits (bucket, window_start, spent)
      values (${`${limit.name}:${counted}`},
        to_timestamp(floor(extract(epoch from berth_now()) / ${limit.seconds}) * ${limit.seconds}), 1)
      on conflict (bucket, window_start) do update set spent = rate_limits.spent + 1
      returning spent,
        ceil(extract(epoch from window_start) + ${limit.seconds} - extract(epoch from berth_now()))::int as left`),
  );
  const row = rows[0];
  if (row && row.spent > limit.calls) throw new RateLimitedError(Math.max(1, row.left));
}

/** An IPv6 address is one of 2^64 that its owner has: what counts is the network. */
export function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

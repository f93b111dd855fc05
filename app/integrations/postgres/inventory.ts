import type pg from "pg";
import { redactText } from "#app/platform/redact.ts";
import { cut } from "#app/platform/text.ts";
import { readOnly } from "./copy-catalog.ts";
import { inventoryQueries } from "./inventory-queries.ts";

/** One object of the customer's own, in words that depend on nothing but the object. */
export interface InventoryLine {
  /** "table", "column", "policy", "grant", … */
  kind: string;
  /** Qualified: "public.products.price", "read_products on public.products". */
  name: string;
  definition: string;
  /** Kind and name of what it goes with: where that is missing, so is this. */
  parent: string | null;
}

/**
 * What stands in the customer's own schemas: all but PostgreSQL's, the platform's, Berth's, and
 * what belongs to extensions. One snapshot, one round trip; sorted by kind and name.
 *
 * @throws ScriptFailure, ConnectionLostError
 */
export async function readInventory(client: pg.Client): Promise<InventoryLine[]> {
  const results = await readOnly(client, inventoryQueries.map(bounded));
  const lines = results.flatMap(({ rows }) => rows as InventoryLine[]);
  return lines.sort((a, b) => compare(keyOf(a), keyOf(b)));
}

/** Longest definition that is carried, in characters: well below what the redaction cuts. */
const LONGEST = 8_000;

/** The same lines; of a definition that is too long, its length and hash. */
const bounded = (
  query: string,
) => `select kind, name, parent, case when length(definition) <= ${LONGEST}
  then definition else format('%s characters, MD5 %s', length(definition), md5(definition)) end as definition
  from (${query}) lines`;

/** One way in which a database is not what it should be. */
export interface Difference {
  /** Of the object: "table", "grant", … */
  kind: string;
  /** A sentence for people, in which what has the shape of a secret is left out. */
  text: string;
  /** The same to the last letter, for a hash. */
  exact: string;
  /** It follows from another difference: a column of a table that is missing as a whole. */
  implied: boolean;
}

/** How `found` differs from `expected`; empty where they are equal. */
export function diffInventories(
  expected: readonly InventoryLine[],
  found: readonly InventoryLine[],
): Difference[] {
  const wanted = new Map(expected.map((line) => [keyOf(line), line]));
  const present = new Map(found.map((line) => [keyOf(line), line]));
  const differences: Difference[] = [];
  for (const key of [...new Set([...wanted.keys(), ...present.keys()])].sort(compare)) {
    const [want, have] = [wanted.get(key), present.get(key)];
    if (want?.definition === have?.definition) continue;
    // What an applied version did not install was installed at the customer's wish.
    if (!want && have?.kind === "extension") continue;
    const { kind, parent } = want ?? (have as InventoryLine);
    differences.push({
      kind,
      text: describe(want, have),
      exact: JSON.stringify([key, want?.definition ?? null, have?.definition ?? null]),
      implied: parent !== null && wanted.has(parent) !== present.has(parent),
    });
  }
  return differences;
}

const keyOf = ({ kind, name }: InventoryLine) => `${kind} ${name}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function describe(want: InventoryLine | undefined, have: InventoryLine | undefined): string {
  const line = want ?? have;
  if (!line) throw new TypeError("A difference needs a side.");
  const { kind, name } = line;
  if (kind === "grant" || kind === "default privileges") {
    const what = kind === "grant" ? "grants" : "default privileges";
    return `${what} to ${name}: ${have?.definition ?? "none"}, by the ledger's versions ${want?.definition ?? "none"}`;
  }
  if (!want)
    return `${name}: ${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind} that no applied version makes`;
  if (!have) return `missing: ${kind} ${name}`;
  if (kind === "body") return `${name}: its body is not the one that the ledger's versions make`;
  if (kind === "arguments") return `${name}: its arguments are not what the ledger's versions make`;
  // Whole, for half a secret has no shape.
  const safe = [redactText(have.definition), redactText(want.definition)] as const;
  if (safe[0] === safe[1]) return `${name}: the ${kind} differs in a part that is not shown`;
  const [is, makes] = excerpts(...safe);
  return `${name}: the ${kind} is ${is}, the ledger's versions make ${makes}`;
}

/** Longest part of a definition in a sentence. */
const EXCERPT = 100;

/** Two definitions, long ones cut to where they begin to differ. */
function excerpts(one: string, other: string): [string, string] {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same += 1;
  const isShort = Math.max(one.length, other.length) <= EXCERPT;
  const start = isShort ? 0 : one.lastIndexOf(" ", Math.max(0, same - 20)) + 1;
  const excerpt = (text: string) =>
    (start > 0 ? "…" : "") +
      cut(text.slice(start), EXCERPT) +
      (text.length > start + EXCERPT ? "…" : "") || "plain";
  return [excerpt(one), excerpt(other)];
}

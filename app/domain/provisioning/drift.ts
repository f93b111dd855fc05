import { createHash } from "node:crypto";
import type { RunSession } from "#app/integrations/postgres/run-session.ts";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/redact.ts";
import { cut } from "#app/platform/text.ts";
import {
  type CompareOptions,
  compareCatalogs,
  type Obstacle,
  readDatabase,
} from "./drift-compare.ts";
import { ledgerDifferences, versionsToFetch } from "./drift-ledger.ts";

/** Lines of a difference that are told, and the longest line, in characters. */
const MOST_LINES = 50;
const LONGEST_LINE = 300;

/** The database is not what its ledger implies. */
export class DriftError extends BerthError {
  /** At most 50 lines and what could not be compared, free of secrets. */
  readonly difference: string[];
  /** SHA-256 over all of it, in hex: what a supervisor accepts. */
  readonly digest: string;

  /** `uncompared`: what could not be compared, as lines of their own. */
  constructor(difference: string[], digest: string, uncompared: string[] = []) {
    const more = difference.length > 1 ? ` (and ${difference.length - 1} more)` : "";
    super("drift", "The database is not what its applied versions made it.", {
      found: `${difference[0] ?? uncompared[0]}${more}`,
      needed: "a database that only its recorded versions have changed",
      fix: "Undo what was changed by hand, then retry; or let a supervisor accept the difference on the run's page, with a reason.",
    });
    this.difference = [...difference, ...uncompared];
    this.digest = digest;
  }
}

/** What came of the comparison, for the step's outcome: facts alone, worded where they are shown. */
export interface DriftFacts {
  /** "not_compared": nothing differs, as far as it was compared; once "not compared: …" with the reason. */
  drift: "fresh" | "none" | "accepted" | "not_compared";
  /** Who accepted it: an account's id. */
  driftAcceptedBy?: string;
  /** Why it was not compared, or not in full; once a whole line of the difference. */
  driftUncompared?: string;
  /** Whether only what the reason names was left out. Outcomes of before do not have it. */
  driftPartial?: boolean;
}

const factsOf = ({ reason, isPartial }: Obstacle) => ({
  driftUncompared: boundLine(reason),
  driftPartial: isPartial,
});

/**
 * Holds a database that is not fresh against what its ledger implies: the same versions, applied
 * once more to a scratch database on the same server. Reads only. Where the server does not allow
 * the comparison of catalogs, the ledger's own contradictions still stop the run; the digest then
 * covers the catalog as it stands, so that an acceptance holds for nothing but that.
 *
 * @throws DriftError; what {@link RunSession.read} and {@link compareCatalogs} throw
 */
export async function guardDrift(
  options: CompareOptions & {
    session: RunSession;
    isAccepted(digest: string): Promise<{ by: string; reason: string } | null>;
  },
): Promise<DriftFacts> {
  const { session, survey, catalog, isAccepted } = options;
  if (survey.isFresh) return { drift: "fresh" };
  const wanted = versionsToFetch(survey.ledger, catalog);
  const database = await session.read("the comparison with the ledger", (client) =>
    readDatabase(client, wanted),
  );
  const ofLedger = ledgerDifferences(survey.ledger, database.kept, catalog);
  const { differences, obstacle, uncompared } = await compareCatalogs(options, database);
  const all = [...ofLedger, ...differences];
  if (all.length === 0 && !obstacle?.stops) {
    return obstacle ? { drift: "not_compared", ...factsOf(obstacle) } : { drift: "none" };
  }
  const exact = all.map((one) => one.exact);
  const digest = digestOf(obstacle ? [...exact, obstacle.line, uncompared] : exact);
  const accepted = await isAccepted(digest);
  if (accepted) {
    const facts = { drift: "accepted", driftAcceptedBy: accepted.by } as const;
    return obstacle ? { ...facts, ...factsOf(obstacle) } : facts;
  }
  const shown = differences.filter(({ implied }) => !implied);
  const lines = [...ofLedger, ...shown].map(({ text }) => text);
  throw new DriftError(boundLines(lines), digest, obstacle ? [boundLine(obstacle.line)] : []);
}

const digestOf = (lines: string[]) =>
  createHash("sha256").update(JSON.stringify(lines.toSorted())).digest("hex");

function boundLines(lines: string[]): string[] {
  const bounded = lines.map(boundLine);
  if (bounded.length <= MOST_LINES) return bounded;
  const rest = bounded.length - MOST_LINES + 1;
  return [...bounded.slice(0, MOST_LINES - 1), `and ${rest} more differences`];
}

function boundLine(line: string): string {
  const safe = redactText(line);
  return safe.length > LONGEST_LINE ? `${cut(safe, LONGEST_LINE - 1)}…` : safe;
}

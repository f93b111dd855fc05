import type { CheckName } from "#app/domain/backends/index.server.ts";
import type { Tracking } from "#app/domain/provisioning/index.server.ts";
import type { Place } from "../live-connection.ts";

/** What the top of the page answers: where is it, when will it be there, what comes next. */
export interface Standing {
  title: string;
  /** When it will be there, or what it means. */
  text: string;
  next: string | null;
  station: 0 | 1 | 2 | 3 | 4;
}

/** What a project must hold that does not, in the words of its customer. */
export const TO_MEND: Record<CheckName, string> = {
  url: "The project’s URL is not the address of a Supabase project.",
  "project-reachable": "The project does not answer. It may be paused.",
  "anon-key": "The project does not accept the anon or publishable key.",
  "service-role-key": "The project does not accept the service-role or secret key.",
  "keys-not-swapped": "The two keys are not in their own fields.",
  "same-project": "The URL, the keys and the database are not of one project.",
  "not-in-use": "The project is in use already. Another project is needed.",
  "database-url": "The connection string of the database cannot be used.",
  "database-reachable": "The database does not answer.",
  "database-tls": "The connection to the database is not encrypted with a certificate that holds.",
  "database-login": "The database does not accept its user and password.",
  "database-privileges": "The user of the database may not do all that is needed.",
  "database-version": "The database’s version of PostgreSQL is too old.",
  "not-transaction-pooler":
    "The connection string is that of the transaction pooler. That of a direct connection, or of the session pooler, is needed.",
  "schema-empty-or-ours": "The database has tables already. An empty one is needed.",
};

const ordinals = new Intl.PluralRules("en", { type: "ordinal" });
const SUFFIX: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };

/** "You are next" or "You are 3rd in line", from the number of requests ahead; null if unknown. */
export function placeInWords(position: number | null): string {
  if (position === null) return "You are in line.";
  if (position === 0) return "You are next in line.";
  const place = position + 1;
  return `You are ${place}${SUFFIX[ordinals.select(place)] ?? "th"} in line.`;
}

const expectedInWords = (opening: string, expected: string | null): string =>
  expected === null ? "We send you a mail when it is ready." : `${opening} ${expected}.`;

/**
 * The words for where a request stands. `expected` says when, in words that follow "We expect your
 * backend"; null where the clock stands still, or where the request moved on while it was read.
 */
export function wordsOf(facts: {
  status: Tracking["status"];
  /** One of us ended the run. */
  isPaused: boolean;
  place: Place;
  progress: Tracking["progress"];
  expected: string | null;
  isLate: boolean;
}): Standing {
  const { status, place, progress, isLate } = facts;
  const expected = isLate
    ? "It takes longer than we promised, and we are sorry. The oldest promises come first in our queue."
    : expectedInWords("We expect your backend", facts.expected);
  switch (status) {
    case "pending":
      return {
        title: placeInWords(place.position),
        text: expected,
        next: "Next, one of us takes up your request and prepares your Supabase project. You get a mail when that happens.",
        station: 1,
      };
    case "in_progress":
      return {
        title: "We are preparing your backend.",
        text: expected,
        next: "Next, your Supabase project is connected and tested. Then we build, which takes a few minutes.",
        station: 2,
      };
    case "waiting_on_customer":
      return {
        title: "We need something from you.",
        text: "The Supabase project that you gave us cannot be used as it is. What to mend is below, and in our mail.",
        next: "As soon as you have answered, we look at the project again and go on. Until then the clock of our promise stands still.",
        station: 2,
      };
    case "credentials_received":
      return {
        title: "Your project is connected. Building begins in a moment.",
        text: expected,
        next: "When the last step is done, you get a mail with a link to sign in as the owner.",
        station: 3,
      };
    case "migrating":
      return {
        title: "We are building your backend.",
        text: progress
          ? "This takes a few minutes. You may close this page: we send a mail when it is ready."
          : expected,
        next: "When the last step is done, you get a mail with a link to sign in as the owner.",
        station: 3,
      };
    case "failed":
      return {
        title: facts.isPaused
          ? "We have paused building."
          : "Building has stopped, and we are on it.",
        text: isLate
          ? expected
          : `You need not do anything. ${expectedInWords("We still expect it", facts.expected)}`,
        next: facts.isPaused
          ? "One of us looks at something first, and lets it go on from there. What is done already stays done."
          : "One of us looks at it and lets it go on from there. What is done already stays done.",
        station: 3,
      };
    case "completed":
      return {
        title: "Your backend is ready.",
        text: "Everything is installed, checked, and yours.",
        next: null,
        station: 4,
      };
    case "cancelled":
      return {
        title: "This request is cancelled.",
        text: "It has left our queue. Credentials that you gave us are destroyed.",
        next: null,
        station: 0,
      };
  }
}

/** What a customer is told: plain words for events and times, without names and codes. */
import { presentZone } from "#app/platform/time-zones.ts";
import type { ExpectedWindow } from "./outlook.ts";

interface Telling {
  title: string;
  text?: string;
}

/** An event of no entry here is the house's own business. */
const TELLINGS: Record<string, Telling> = {
  received: {
    title: "We received your request",
    text: "It was put into the queue, at the place that your plan promises.",
  },
  claimed: { title: "One of us began to prepare your backend" },
  released: {
    title: "It went back into the queue",
    text: "It keeps its old place. Somebody else will take it up.",
  },
  claim_expired: {
    title: "It went back into the queue",
    text: "It keeps its old place. Somebody else will take it up.",
  },
  credentials_problem: {
    title: "Your Supabase project could not be used as it is",
    text: "We sent you a mail that says what to mend.",
  },
  settings_corrected: { title: "Your settings were corrected by our team" },
  resumed: { title: "Work goes on" },
  credentials_submitted: {
    title: "Your project is connected",
    text: "The connection was tested, and every line held.",
  },
  run_started: { title: "We began to build your backend" },
  failed: {
    title: "Building stopped",
    text: "We were told at once and are looking into it. You need not do anything.",
  },
  needs_person: {
    title: "One step needs a person",
    text: "We were told at once and are doing it by hand. You need not do anything.",
  },
  run_cancelled: {
    title: "We paused building",
    text: "One of us wants to look at something first. You need not do anything.",
  },
  retried: { title: "We went on building", text: "What was done already stays done." },
  completed: {
    title: "Your backend is ready",
    text: "We sent you a mail with a link to sign in as its owner.",
  },
  owner_link_sent: { title: "We sent you a new link to sign in" },
  owner_link_used: { title: "The owner opened the link and signed in" },
  cancelled: { title: "The request was cancelled" },
};

/** What a customer is told of an event; null for what is not its business. */
export const tellEvent = (kind: string): Telling | null =>
  Object.hasOwn(TELLINGS, kind) ? (TELLINGS[kind] ?? null) : null;

const DAY_MS = 24 * 3_600_000;

/** "Berlin time" for Europe/Berlin. */
export function zoneInWords(timeZone: string): string {
  const city = presentZone(timeZone).split("/").at(-1)?.replaceAll("_", " ") ?? timeZone;
  return /^(UTC|GMT)$/i.test(city) ? "UTC" : `${city} time`;
}

/** Formats of one zone. The parts are put together here, so that every machine says the same. */
function formatsOf(timeZone: string) {
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
    return (at: Date) => made.format(at);
  };
  const date = format({ year: "numeric", month: "2-digit", day: "2-digit" });
  /** The calendar's days, not stretches of 24 hours: twice a year they differ. */
  const dayNumber = (at: Date) => {
    const [day, month, year] = date(at).split("/").map(Number);
    return Date.UTC(year ?? 0, (month ?? 1) - 1, day) / DAY_MS;
  };
  const weekday = format({ weekday: "long" });
  const dayAndMonth = format({ day: "numeric", month: "long" });
  return {
    clock: format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    /** "today", "tomorrow", "on Monday", "on Monday, 30 November". */
    day(at: Date, now: Date): string {
      const days = dayNumber(at) - dayNumber(now);
      if (days === 0) return "today";
      if (days === 1) return "tomorrow";
      if (days === -1) return "yesterday";
      const isNear = days > 0 && days < 7;
      return `on ${weekday(at)}${isNear ? "" : `, ${dayAndMonth(at)}`}`;
    },
  };
}

/** After "between" and "and" a day goes without its preposition. */
const bare = (day: string) => day.replace(/^on /, "");

/** "tomorrow between 10:00 and 15:00, Berlin time", to follow "We expect your backend". */
export function windowInWords({ from, to }: ExpectedWindow, now: Date, timeZone: string): string {
  const { clock, day } = formatsOf(timeZone);
  const zone = zoneInWords(timeZone);
  const end = day(to, now);
  if (from === null) return `${end} by ${clock(to)}, ${zone}`;
  const begin = day(from, now);
  return begin === end
    ? `${begin} between ${clock(from)} and ${clock(to)}, ${zone}`
    : `between ${bare(begin)} ${clock(from)} and ${bare(end)} ${clock(to)}, ${zone}`;
}

/** "today at 14:05", in the zone of whoever reads it. */
export function momentInWords(at: Date, now: Date, timeZone: string): string {
  const { clock, day } = formatsOf(timeZone);
  return `${day(at, now)} at ${clock(at)}`;
}

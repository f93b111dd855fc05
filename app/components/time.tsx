import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";
import { formatDuration } from "#app/platform/durations.ts";

/** The moment that relative times count from; ISO. Empty where nobody knows it. */
const NowContext = createContext("");

/** How often relative times are counted anew. */
const TICK_MS = 30_000;

/** Begins with the server's clock, so that its page and ours say the same; goes on by itself. */
export function NowProvider({ now, children }: { now: string; children: ReactNode }) {
  const [current, setCurrent] = useState(now);
  useEffect(() => {
    setCurrent(now);
    if (!now) return;
    const ahead = Date.parse(now) - Date.now();
    const tick = () => setCurrent(new Date(Date.now() + ahead).toISOString());
    const timer = setInterval(tick, TICK_MS);
    // A page in the background is not counted on: timers sleep there.
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [now]);
  return <NowContext.Provider value={current}>{children}</NowContext.Provider>;
}

/** Milliseconds since the epoch by the server's clock; null outside of a page that knows it. */
export function useNow(): number | null {
  const now = useContext(NowContext);
  return now ? Date.parse(now) : null;
}

type Instant = string | Date;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Making a format costs more than a hundred uses of it; a page asks for two zones at most. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(zone, made);
  return made;
}

/** "21 Nov 2026, 14:05 UTC". Put together by hand: Node.js and browsers differ in their words. */
export function formatExact(at: Instant, zone = "UTC"): string {
  const date = new Date(at);
  if (zone === "UTC") {
    const time = date.toISOString().slice(11, 16);
    const month = MONTHS[date.getUTCMonth()];
    return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}, ${time} UTC`;
  }
  const parts = formatOf(zone).formatToParts(date);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((one) => one.type === type)?.value ?? "";
  const month = MONTHS[Number(part("month")) - 1];
  return `${Number(part("day"))} ${month} ${part("year")}, ${part("hour")}:${part("minute")} ${zone}`;
}

export { formatDuration };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A distance in time without seconds: "3 h 20 min". */
export function formatDistance(ms: number): string {
  const distance = Math.abs(ms);
  if (distance < MINUTE) return "less than a minute";
  return formatDuration(distance < HOUR ? distance - (distance % MINUTE) : distance);
}

/**
 * "in 3 h 20 min", "5 min ago", "just now". A page may know of a thing before its clock has ticked
 * on: only what `isAhead` is said to come within the minute.
 */
export function formatRelative(at: Instant, now: number, isAhead = false): string {
  const ms = new Date(at).getTime() - now;
  if (Math.abs(ms) < MINUTE) return isAhead && ms > 0 ? "in less than a minute" : "just now";
  return ms > 0 ? `in ${formatDistance(ms)}` : `${formatDistance(ms)} ago`;
}

/** The exact time in UTC, and in the browser's own zone once that is known. */
function useExact(at: Instant): string {
  const [zone, setZone] = useState("UTC");
  useEffect(() => setZone(Intl.DateTimeFormat().resolvedOptions().timeZone), []);
  const exact = formatExact(at);
  return zone === "UTC" ? exact : `${formatExact(at, zone)} (${exact})`;
}

/** Puts a card below a word, within the window; above it where there is no room below. */
function putBelow(card: HTMLElement | null, word: HTMLElement | null): void {
  if (!card || !word) return;
  const [edge, gap] = [8, 4];
  const at = word.getBoundingClientRect();
  const below = at.bottom + gap;
  const fits = below + card.offsetHeight + edge <= innerHeight;
  const left = Math.min(at.left, innerWidth - card.offsetWidth - edge);
  card.style.top = `${fits ? below : at.top - gap - card.offsetHeight}px`;
  card.style.left = `${Math.max(edge, left)}px`;
}

/**
 * Words for a moment; exactly when, and in which zone, on hover, and on focus or tap on a card that
 * floats over the page, so that nothing in it moves. Escape closes the card.
 */
export function WithExact(props: {
  at: Instant;
  /** What stands before the exact time, such as "Due ". */
  before?: string;
  className?: string;
  children: ReactNode;
}) {
  const { at, before = "", className = "", children } = props;
  const exact = `${before}${useExact(at)}`;
  const [isShown, setShown] = useState(false);
  const word = useRef<HTMLTimeElement>(null);
  const card = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!isShown) return;
    const place = () => putBelow(card.current, word.current);
    place();
    // Capturing: what scrolls may be a part of the page.
    addEventListener("scroll", place, true);
    addEventListener("resize", place);
    return () => {
      removeEventListener("scroll", place, true);
      removeEventListener("resize", place);
    };
  }, [isShown]);
  return (
    <time
      ref={word}
      dateTime={new Date(at).toISOString()}
      title={exact}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: focus shows the exact time
      tabIndex={0}
      onFocus={() => setShown(true)}
      onBlur={() => setShown(false)}
      onKeyDown={({ key }) => key === "Escape" && setShown(false)}
      className={`whitespace-nowrap tabular-nums ${className}`}
    >
      {children}
      {isShown ? (
        <span
          ref={card}
          role="tooltip"
          className="fixed top-0 left-0 z-50 w-max max-w-[calc(100vw-1rem)] rounded-box border border-base-300 bg-base-100 px-2.5 py-1.5 text-xs font-normal whitespace-normal text-base-content shadow-lg"
        >
          {exact}
        </span>
      ) : null}
    </time>
  );
}

/** How far away a moment is. `isAhead`: one that is still to come, as a deadline is. */
export function RelativeTime({ at, isAhead = false }: { at: Instant; isAhead?: boolean }) {
  const now = useNow();
  if (now === null) return <ExactTime at={at} />;
  return <WithExact at={at}>{formatRelative(at, now, isAhead)}</WithExact>;
}

/** A moment by the clock, in UTC. */
export function ExactTime({ at }: { at: Instant }) {
  return (
    <time dateTime={new Date(at).toISOString()} className="whitespace-nowrap tabular-nums">
      {formatExact(at)}
    </time>
  );
}

/** How long something took. */
export function Duration({ ms }: { ms: number }) {
  return <span className="whitespace-nowrap tabular-nums">{formatDuration(ms)}</span>;
}

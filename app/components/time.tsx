import { createContext, type ReactNode, useContext, useEffect, useState } from "react";

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

/** "21 Nov 2026, 14:05 UTC". Put together by hand: Node.js and browsers differ in their words. */
export function formatExact(at: Instant, zone = "UTC"): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(new Date(at));
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    parts.find((one) => one.type === type)?.value ?? "";
  const month = MONTHS[Number(part("month")) - 1];
  return `${Number(part("day"))} ${month} ${part("year")}, ${part("hour")}:${part("minute")} ${zone}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in at most two units: "850 ms", "1.2 s", "2 min 5 s", "3 h 20 min", "2 d 4 h". */
export function formatDuration(ms: number): string {
  const length = Math.max(0, ms);
  if (length < SECOND) return `${Math.floor(length)} ms`;
  if (length < 10 * SECOND) return `${(Math.floor(length / 100) / 10).toFixed(1)} s`;
  if (length < MINUTE) return `${Math.floor(length / SECOND)} s`;
  if (length < HOUR) return twoUnits(length, MINUTE, "min", SECOND, "s");
  if (length < 2 * DAY) return twoUnits(length, HOUR, "h", MINUTE, "min");
  return twoUnits(length, DAY, "d", HOUR, "h");
}

function twoUnits(ms: number, big: number, bigName: string, small: number, smallName: string) {
  const bigs = Math.floor(ms / big);
  const smalls = Math.floor((ms % big) / small);
  return smalls > 0 ? `${bigs} ${bigName} ${smalls} ${smallName}` : `${bigs} ${bigName}`;
}

/** A distance in time without seconds: "3 h 20 min". */
export function formatDistance(ms: number): string {
  const distance = Math.abs(ms);
  if (distance < MINUTE) return "less than a minute";
  return formatDuration(distance < HOUR ? distance - (distance % MINUTE) : distance);
}

/** "in 3 h 20 min", "5 min ago", "just now". */
function formatRelative(at: Instant, now: number): string {
  const ms = new Date(at).getTime() - now;
  if (Math.abs(ms) < MINUTE) return ms > 0 ? "in less than a minute" : "just now";
  return ms > 0 ? `in ${formatDistance(ms)}` : `${formatDistance(ms)} ago`;
}

/** The exact time in UTC, and in the browser's own zone once that is known. */
function useExact(at: Instant): string {
  const [zone, setZone] = useState("UTC");
  useEffect(() => setZone(Intl.DateTimeFormat().resolvedOptions().timeZone), []);
  const exact = formatExact(at);
  return zone === "UTC" ? exact : `${formatExact(at, zone)} (${exact})`;
}

/** How far away a moment is; exactly when, and in which zone, on hover and on focus or tap. */
export function RelativeTime({ at }: { at: Instant }) {
  const now = useNow();
  const exact = useExact(at);
  if (now === null) return <ExactTime at={at} />;
  return (
    <time
      dateTime={new Date(at).toISOString()}
      title={exact}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: focus shows the exact time
      tabIndex={0}
      className="group whitespace-nowrap tabular-nums"
    >
      <span className="group-focus:hidden">{formatRelative(at, now)}</span>
      <span className="hidden group-focus:inline">{exact}</span>
    </time>
  );
}

/** A moment by the clock of a zone: UTC unless told. */
export function ExactTime({ at, zone = "UTC" }: { at: Instant; zone?: string }) {
  return (
    <time dateTime={new Date(at).toISOString()} className="whitespace-nowrap tabular-nums">
      {formatExact(at, zone)}
    </time>
  );
}

/** How long something took. */
export function Duration({ ms }: { ms: number }) {
  return <span className="whitespace-nowrap tabular-nums">{formatDuration(ms)}</span>;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY_MS = 86_400_000;

/** "7 Nov", of a date such as 2026-11-07. */
export function formatDay(date: string): string {
  const [, month, day] = date.split("-").map(Number);
  return `${day} ${MONTHS[(month ?? 1) - 1]}`;
}

/** The number of the week that begins on this Monday (ISO 8601: the year's first has its Thursday). */
export function weekNumber(monday: string): number {
  const thursday = new Date(Date.parse(monday) + 3 * DAY_MS);
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.floor((thursday.getTime() - yearStart) / DAY_MS / 7) + 1;
}

/** "2 Nov – 8 Nov", of a stretch whose end is the day after its last. */
export function formatStretch({ from, to }: { from: string; to: string }): string {
  const last = new Date(Date.parse(to) - DAY_MS).toISOString().slice(0, 10);
  return `${formatDay(from)} – ${formatDay(last)}`;
}

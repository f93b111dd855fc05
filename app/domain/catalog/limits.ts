/** Limits of time, as directives and manifests write them: `30s`, `10min`, `2h`. */

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };
const LONGEST_MS = 6 * 3_600_000;

/** What a limit of time looks like, for messages. */
export const timeLimitForm = "a whole number with s, min or h, from 1s to 6h";

/** Milliseconds, or null where the text is no limit of time. */
export function parseTimeLimit(text: string): number | null {
  const { number, unit = "" } = /^(?<number>\d{1,6})(?<unit>s|min|h)$/.exec(text)?.groups ?? {};
  const ms = Number(number) * (UNITS_MS[unit] ?? Number.NaN);
  return ms >= 1_000 && ms <= LONGEST_MS ? ms : null;
}

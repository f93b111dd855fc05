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

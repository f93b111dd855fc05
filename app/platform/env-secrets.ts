/** Words of published examples; a secret that holds one was copied, not made. */
const exampleWords =
  /change.?me|replace.?me|example|placeholder|your[-_ ]|insert[-_ ]|default|super[-_ ]?secret|s3cr3t|letmein|hunter2|correct.?horse|qwerty|0123456789|12345678|abcdefgh|lorem.?ipsum/i;

/** Whole values that every scanner tries first. */
const wellKnown = new Set([
  "postgres",
  "postgresql",
  "password",
  "passw0rd",
  "secret",
  "admin",
  "root",
  "test",
  "berth",
  "berth_app",
  "berth_auth",
  "berth_jobs",
  "PASSWORD",
]);

/** The environment with blank variables taken out: `APP_SECRET=` in a file is no secret. */
export function withoutBlanks(
  source: Record<string, string | undefined>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(source).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
}

/** Whether the text is one short piece (up to a third of it) said again and again. */
function isRepeated(text: string): boolean {
  for (let period = 1; period <= text.length / 3; period++) {
    const piece = text.slice(0, period);
    if (piece.repeat(Math.ceil(text.length / period)).slice(0, text.length) === text) return true;
  }
  return false;
}

/**
 * Why a secret cannot be used, as the rest of a sentence, or null. Looks for examples,
 * repetition and too few different characters; it cannot measure entropy.
 */
export function secretWeakness(text: string, minimumBytes: number): string | null {
  if (Buffer.byteLength(text, "utf8") < minimumBytes) {
    return `is too short: at least ${minimumBytes} bytes are needed`;
  }
  if (exampleWords.test(text)) return "is a published example";
  if (isRepeated(text) || new Set(text).size < 8) return "repeats itself";
  return null;
}

/**
 * Why a password of a URL cannot be used in production, or null. `optional` accepts none at all.
 * At least 12 characters unless `minimum` says otherwise.
 */
export function passwordWeakness(encoded: string, minimum = 12, optional = false): string | null {
  let password = encoded;
  try {
    password = decodeURIComponent(encoded);
  } catch {
    // A stray "%": judged as it was written.
  }
  if (password === "") return optional ? null : "is missing";
  if (wellKnown.has(password) || exampleWords.test(password)) return "is a published example";
  if (password.length < minimum) return `is shorter than ${minimum} characters`;
  if (isRepeated(password)) return "repeats itself";
  return null;
}

/** PostgreSQL's table locks, each at least as strong as those before it. */
export const LOCK_MODES = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;

export type LockMode = (typeof LOCK_MODES)[number];

/** Where a mode stands among them, from 0. */
export const strengthOf = (mode: LockMode): number => LOCK_MODES.indexOf(mode);

/** The strongest of some modes; the weakest there is for none. */
export function strongest(modes: readonly LockMode[]): LockMode {
  return modes.reduce<LockMode>(
    (most, mode) => (strengthOf(mode) > strengthOf(most) ? mode : most),
    "ACCESS SHARE",
  );
}

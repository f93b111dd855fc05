/** What a switched-on fault does; sandbox/README.md describes each. */
const FAULT_KINDS = [
  "delay",
  "rate-limited",
  "error",
  "drop",
  "accept-then-drop",
  "never-ready",
  "paused",
] as const;
type FaultKind = (typeof FAULT_KINDS)[number];

/** A fault that somebody switched on. */
export interface Fault {
  kind: FaultKind;
  /** One project; null for every project (and for calls that name none). */
  ref: string | null;
  /**
   * `METHOD /path` with `*` for the method, and `:name` or a trailing `*` in the path; or
   * `database` for connections to the pooler. Null fits all.
   */
  route: string | null;
  /** How often it still strikes; null for ever. */
  times: number | null;
  /** Milliseconds, for `delay`. */
  ms: number;
  /** The HTTP status, for `error`. */
  status: number;
  /** How often it has struck. */
  hits: number;
}

/** A list of faults could not be understood; the message says what is wrong. */
export class FaultFormatError extends Error {
  override name = "FaultFormatError";
}

/** The faults that are switched on. */
export interface Faults {
  list(): Fault[];
  replace(body: unknown): void;
  /** Adds one to those that are switched on. */
  add(body: unknown): Fault;
  /** Switches off those of one project, or all. */
  clear(ref?: string | null): void;
  /** The faults that strike one call, in the order in which they were given. */
  strike(ref: string | null, call: string): Fault[];
  /** Whether a project is kept from becoming ready. */
  neverReady(ref: string): boolean;
  /** Whether a project acts as paused without being so. */
  actsPaused(ref: string): boolean;
}

const KEYS = ["kind", "ref", "route", "times", "ms", "status"];

function readFault(value: unknown, where: string): Fault {
  if (typeof value !== "object" || value === null)
    throw new FaultFormatError(`${where}: no object`);
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (!KEYS.includes(key)) throw new FaultFormatError(`${where}: unknown field "${key}"`);
  }
  if (!FAULT_KINDS.includes(given.kind as FaultKind)) {
    throw new FaultFormatError(`${where}.kind: one of ${FAULT_KINDS.join(", ")}`);
  }
  const text = (key: "ref" | "route") => {
    const found = given[key] ?? null;
    if (found !== null && typeof found !== "string")
      throw new FaultFormatError(`${where}.${key}: a string`);
    return found;
  };
  const number = (key: "ms" | "status" | "times", fallback: number | null) => {
    const found = given[key] ?? fallback;
    if (found !== null && !Number.isInteger(found)) {
      throw new FaultFormatError(`${where}.${key}: a whole number`);
    }
    return found as number | null;
  };
  return {
    kind: given.kind as FaultKind,
    ref: text("ref"),
    route: text("route"),
    times: number("times", null),
    ms: number("ms", 1_000) ?? 0,
    status: number("status", 500) ?? 500,
    hits: 0,
  };
}

/** Whether a route pattern fits a call such as `POST /auth/v1/invite` or `database`. */
export function routeFits(pattern: string | null, call: string): boolean {
  if (pattern === null || pattern === call) return true;
  const [method, path] = pattern.split(" ", 2);
  const [callMethod, callPath] = call.split(" ", 2);
  if (!path || !callPath || (method !== "*" && method !== callMethod)) return false;
  const source = path
    .split(/(:\w+|\*)/)
    .map((part) => {
      if (part === "*") return ".*";
      return part.startsWith(":") ? "[^/]+" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}/?$`).test(callPath);
}

/** An empty set of faults. */
export function createFaults(): Faults {
  let faults: Fault[] = [];
  const alive = (fault: Fault, ref: string | null) =>
    (fault.ref === null || fault.ref === ref) && (fault.times === null || fault.times > 0);
  return {
    list: () => faults,
    replace(body) {
      const given = (body as { faults?: unknown } | null)?.faults;
      if (!Array.isArray(given)) throw new FaultFormatError('The body must be {"faults": [...]}');
      faults = given.map((one, index) => readFault(one, `faults[${index}]`));
    },
    add(body) {
      const fault = readFault(body, "fault");
      faults = [...faults, fault];
      return fault;
    },
    clear(ref = null) {
      faults = ref === null ? [] : faults.filter((fault) => fault.ref !== ref);
    },
    strike(ref, call) {
      const striking = faults.filter(
        (fault) =>
          fault.kind !== "never-ready" &&
          fault.kind !== "paused" &&
          alive(fault, ref) &&
          routeFits(fault.route, call),
      );
      for (const fault of striking) {
        fault.hits += 1;
        if (fault.times !== null) fault.times -= 1;
      }
      return striking;
    },
    neverReady: (ref) => faults.some((f) => f.kind === "never-ready" && alive(f, ref)),
    actsPaused: (ref) => faults.some((f) => f.kind === "paused" && alive(f, ref)),
  };
}

import { z } from "zod";
import { PRIORITIES } from "#db/catalog.ts";
import { type DeskCursor, readDeskCursor } from "./desk-cursor.ts";
import { DESK_STATUSES, type DeskStatus } from "./desk-status.ts";

/** From `from` on, until before `to`. */
export interface Window {
  from?: Date;
  to?: Date;
}

/** What the desk's queue can be narrowed to. Absent parts narrow nothing. */
export interface DeskFilter {
  /** `open`: all that are neither completed nor cancelled; `all`: those too. */
  status: "open" | "all" | DeskStatus[];
  priority?: (typeof PRIORITIES)[number][];
  plan?: string[];
  region?: string[];
  /** An account's id, or `none`. */
  assignee?: string;
  text?: string;
  due?: "soon" | "late";
  promise?: "kept" | "broken";
  completed?: Window;
  received?: Window;
  failed?: Window;
  cursor?: DeskCursor;
}

/** Parameters that were given and mean nothing here, with what is wrong with each. */
export interface IgnoredParameter {
  name: string;
  reason: string;
}

const LONGEST_TEXT = 200;

/** A code such as a plan's, a region's or an account's. */
const code = z.string().regex(/^[\w-]{1,64}$/);

/** A UTC date or an instant. PostgreSQL's calendar has no year 0. */
const instant = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })])
  .transform((text) => new Date(text))
  .refine((date) => date.getUTCFullYear() > 0 && date.getUTCFullYear() < 10_000);

/** The values of a parameter: given once with commas, or several times, as a form sends it. */
const listOf = (params: URLSearchParams, name: string): string[] => {
  const values = params.getAll(name).flatMap((value) => value.split(","));
  return [...new Set(values.map((value) => value.trim()).filter((value) => value !== ""))];
};

/**
 * Reads the queue's address. What it does not know is left out and named, so that an old or mangled
 * link still shows a list. `me`: the account that `assignee=me` stands for.
 */
export function readDeskFilter(
  params: URLSearchParams,
  me: string,
): { filter: DeskFilter; ignored: IgnoredParameter[] } {
  const ignored: IgnoredParameter[] = [];
  const ignore = (name: string, reason: string) => void ignored.push({ name, reason });

  /** The values of a list that its kind allows. */
  function list<T extends string>(name: string, allowed: z.ZodType<T>): T[] | undefined {
    const [known, unknown] = [[] as T[], [] as string[]];
    for (const value of listOf(params, name).slice(0, 50)) {
      const parsed = allowed.safeParse(value);
      if (parsed.success) known.push(parsed.data);
      else unknown.push(value);
    }
    if (unknown.length > 0) ignore(name, `“${unknown.join(", ").slice(0, 60)}” is not known`);
    return known.length > 0 ? known : undefined;
  }
  function one<T>(name: string, allowed: z.ZodType<T>, needed: string): T | undefined {
    const value = params.get(name)?.trim();
    if (!value) return undefined;
    const parsed = allowed.safeParse(value);
    if (!parsed.success) ignore(name, needed);
    return parsed.success ? parsed.data : undefined;
  }
  function window(name: string): Window | undefined {
    const needed = "is not a date such as 2026-11-21";
    const from = one(`${name}From`, instant, needed);
    const to = one(`${name}To`, instant, needed);
    return from || to ? { ...(from && { from }), ...(to && { to }) } : undefined;
  }

  const status = list("status", z.enum([...DESK_STATUSES, "all", "open"]));
  const assignee = one("assignee", code, "is not the id of an account");
  const promise = one("promise", z.enum(["kept", "broken"]), "is neither kept nor broken");
  const completed = window("completed");
  const found = {
    status: toStatus(status, promise !== undefined || completed !== undefined),
    priority: list("priority", z.enum(PRIORITIES)),
    plan: list("plan", code),
    region: list("region", code),
    assignee: assignee === "me" ? me : assignee,
    text: readText(params.get("q") ?? "", ignore),
    due: one("due", z.enum(["soon", "late"]), "is neither soon nor late"),
    promise,
    completed,
    received: window("received"),
    failed: window("failed"),
    cursor: one("cursor", readDeskCursor, "did not come from here; this is the first page"),
  };
  const filter = Object.fromEntries(
    Object.entries(found).filter(([, value]) => value !== undefined),
  ) as unknown as DeskFilter;
  return { filter, ignored };
}

function toStatus(
  given: (DeskStatus | "all" | "open")[] | undefined,
  speaksOfCompleted: boolean,
): DeskFilter["status"] {
  if (!given) return speaksOfCompleted ? ["completed"] : "open";
  if (given.includes("all")) return "all";
  if (given.includes("open")) return "open";
  return given as DeskStatus[];
}

function readText(
  given: string,
  ignore: (name: string, reason: string) => void,
): string | undefined {
  const text = given
    .slice(0, LONGEST_TEXT)
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, " ")
    .trim();
  if (text === "") return undefined;
  if (/[\p{L}\p{N}]/u.test(text)) return text;
  ignore("q", "holds no word to look for");
  return undefined;
}

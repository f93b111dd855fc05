import type { Call } from "../../platform/http.ts";
import { badJson, notAPart, RestRefusal, unreadable } from "./errors.ts";

/** One condition: a column equals a value, given as text. */
interface Filter {
  column: string;
  value: string;
}

/** What the address asks of the rows. */
export interface RowQuery {
  /** Null stands for every column. */
  select: string[] | null;
  filters: Filter[];
  order: { column: string; words: string }[];
  limit: number | null;
  offset: number;
}

/** What the headers ask of the answer. */
export interface Wishes {
  /** Exactly one row, as an object. */
  single: boolean;
  count: boolean;
  answer: "minimal" | "headers-only" | "representation";
  duplicates: "merge-duplicates" | "ignore-duplicates" | null;
}

const RESERVED = new Set([
  "select",
  "order",
  "limit",
  "offset",
  "columns",
  "on_conflict",
  "apikey",
]);
const OPERATORS = new Set(
  (
    "neq gt gte lt lte like ilike match imatch is isdistinct in fts plfts phfts wfts cs cd ov sl sr " +
    "nxr nxl adj not"
  ).split(" "),
);

/** A plain name, or one in double quotes. Throws RestRefusal. */
function nameOf(text: string, where: string): string {
  const quoted = /^"((?:[^"\\]|\\.)+)"$/.exec(text.trim());
  if (quoted?.[1]) return quoted[1].replace(/\\(.)/g, "$1");
  if (/->|[.(:]/.test(text)) {
    throw notAPart(`embedded columns, JSON paths, casts and aliases ("${text}")`);
  }
  const plain = /^[\p{L}\p{N}_$ -]+$/u.exec(text.trim());
  if (!plain) throw unreadable(`${where} (${text})`);
  return plain[0];
}

/** Names separated by commas, such as `"id","name"`. Throws RestRefusal. */
export function namesOf(text: string, where: string): string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  // What fits no part is no comma between two.
  if (parts.join(",") !== text) throw unreadable(`${where} (${text})`);
  return parts.map((part) => nameOf(part, where));
}

function selectOf(text: string | null): string[] | null {
  if (text === null || text.trim() === "" || text.trim() === "*") return null;
  if (text.includes("(")) {
    throw notAPart("the embedding of other tables and aggregates in select=");
  }
  if (text.split(",").some((part) => part.trim() === "*")) {
    throw notAPart("`*` beside columns in select=");
  }
  return namesOf(text, "select parameter");
}

function orderOf(text: string | null): RowQuery["order"] {
  if (!text) return [];
  return text.split(",").map((part) => {
    const match = /^(.+?)(?:\.(asc|desc))?(?:\.nulls(first|last))?$/.exec(part.trim());
    if (!match?.[1]) throw unreadable(`order (${text})`);
    const words = `${match[2] ?? "asc"}${match[3] ? ` nulls ${match[3]}` : ""}`;
    return { column: nameOf(match[1], "order"), words };
  });
}

function wholeNumber(text: string | null, where: string): number | null {
  if (text === null) return null;
  if (!/^\d{1,15}$/.test(text)) throw unreadable(`${where} parameter (${text})`);
  return Number(text);
}

function filterOf(key: string, text: string): Filter {
  if (/^(not\.)?(and|or)$/.test(key)) throw notAPart(`the parameter "${key}"`);
  const dot = text.indexOf(".");
  const operator = text.slice(0, Math.max(dot, 0));
  if (operator !== "eq") {
    const known = OPERATORS.has(operator.replace(/\(.*$/, "")) || operator.startsWith("eq(");
    if (known) throw notAPart(`the filter "${operator}" ("${key}=${text}"): it has eq alone`);
    throw unreadable(`filter (${text})`);
  }
  return { column: nameOf(key, "tree path"), value: text.slice(dot + 1) };
}

/** Reads the address; names in `except` are no filters. Throws RestRefusal. */
export function rowQueryOf(call: Call, except: ReadonlySet<string> = new Set()): RowQuery {
  const filters: Filter[] = [];
  for (const [key, value] of call.query) {
    if (!RESERVED.has(key) && !except.has(key)) filters.push(filterOf(key, value));
  }
  return {
    select: selectOf(call.query.get("select")),
    filters,
    order: orderOf(call.query.get("order")),
    limit: wholeNumber(call.query.get("limit"), "limit"),
    offset: wholeNumber(call.query.get("offset"), "offset") ?? 0,
  };
}

const one = <T extends string>(given: Set<string>, name: string, values: readonly T[]) =>
  values.find((value) => given.has(`${name}=${value}`)) ?? null;

/** Reads the headers Accept, Accept-Profile, Content-Profile, Prefer and Range. Throws RestRefusal. */
export function wishesOf(call: Call): Wishes {
  const profile = call.header(
    ["GET", "HEAD"].includes(call.method) ? "accept-profile" : "content-profile",
  );
  if (profile !== undefined && profile !== "public") {
    throw new RestRefusal(406, "PGRST106", `Invalid schema: ${profile}`, {
      hint: "Only the following schemas are exposed: public",
    });
  }
  if (call.header("range")) throw notAPart("the header Range: use limit= and offset=");

  const accepted = (call.header("accept") ?? "*/*").split(",").map((type) => type.trim());
  const types = accepted.map((type) => type.replace(/\s*;\s*q=[\d.]+$/, ""));
  const single = types[0] === "application/vnd.pgrst.object+json";
  if (!single && !types.some((type) => /^(\*\/\*|application\/(json|\*))(;|$)/.test(type))) {
    const message = `None of these media types are available: ${accepted.join(", ")}`;
    throw new RestRefusal(406, "PGRST107", message);
  }

  const given = new Set((call.header("prefer") ?? "").split(",").map((part) => part.trim()));
  for (const wish of ["missing=default", "handling=strict", "count=planned", "count=estimated"]) {
    if (given.has(wish)) throw notAPart(`the header "Prefer: ${wish}"`);
  }
  return {
    single,
    count: given.has("count=exact"),
    answer: one(given, "return", ["representation", "headers-only", "minimal"]) ?? "minimal",
    duplicates: one(given, "resolution", ["merge-duplicates", "ignore-duplicates"]),
  };
}

/** A JSON body that was read: its text goes to the database, which knows numbers better. */
export interface Payload {
  text: string;
  value: unknown;
}

/** Reads the body as JSON; an empty one is `fallback` where there is one. Throws RestRefusal. */
export function payloadOf(call: Call, fallback?: string): Payload {
  const type = call.header("content-type");
  if (type && !/^application\/(vnd\.pgrst\.(object|array)\+)?json\b/.test(type)) {
    throw badJson(`Content-Type not acceptable: ${type}`);
  }
  const text = call.body.toString("utf8") || (fallback ?? "");
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    throw badJson();
  }
}

/** Whether a JSON value is an object, not a list and not null. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

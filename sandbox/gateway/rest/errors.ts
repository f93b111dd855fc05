import type { Answer } from "../../platform/http.ts";

/** A refusal of the Data API, in PostgREST's shape. */
export class RestRefusal extends Error {
  override name = "RestRefusal";
  readonly status: number;
  readonly code: string;
  readonly details: string | null;
  readonly hint: string | null;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: string | null; hint?: string | null; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = more.details ?? null;
    this.hint = more.hint ?? null;
    this.headers = more.headers ?? {};
  }
}

/** The Data API's answer to a refusal. */
export function restRefusalAnswer(refusal: RestRefusal): Answer {
  const { code, message, details, hint } = refusal;
  return {
    status: refusal.status,
    headers: refusal.headers,
    json: { code, details, hint, message },
  };
}

/** What PostgREST has and this stand-in has not. */
export const notAPart = (what: string) =>
  new RestRefusal(400, "PGRST100", `This stand-in has a part of PostgREST only, without ${what}.`, {
    hint: "sandbox/README.md lists what it has.",
  });

/** What nobody's PostgREST would read. */
export const unreadable = (what: string) =>
  new RestRefusal(400, "PGRST100", `"failed to parse ${what}" (line 1, column 1)`);

export const badJson = (message = "Empty or invalid json") =>
  new RestRefusal(400, "PGRST102", message);

/** Statuses by SQLSTATE or by its class, as PostgREST gives them; the rest is 400. */
const STATUS: Record<string, number> = {
  "08": 503,
  "09": 500,
  "0L": 403,
  "0P": 403,
  // PostgREST makes one exception, for safeupdate's words, which are said elsewhere here.
  "21000": 500,
  "23503": 409,
  "23505": 409,
  "25": 500,
  "25006": 405,
  "28": 403,
  "2D": 500,
  "38": 500,
  "39": 500,
  "3B": 500,
  "40": 500,
  "42883": 404,
  "42P01": 404,
  "42P17": 500,
  "53": 503,
  "53400": 500,
  "54": 500,
  "55": 500,
  "57": 500,
  "57P01": 503,
  "58": 500,
  F0: 500,
  HV: 500,
  P0: 500,
  P0001: 400,
  XX: 500,
};

/** An error of the database as a refusal; null when the database did not speak. */
export function fromDatabase(error: unknown, role: string): RestRefusal | null {
  const { code, message, detail, hint } = error as Record<string, string | undefined>;
  if (!code || !/^[0-9A-Z]{5}$/.test(code) || !message) return null;
  let status = STATUS[code] ?? STATUS[code.slice(0, 2)] ?? 400;
  if (code === "42501") status = role === "anon" ? 401 : 403;
  if (code === "22023" && /^role .* does not exist$/.test(message)) status = 401;
  // `raise … using errcode = 'PT402'` chooses the status.
  if (code.startsWith("PT"))
    status = /^[2-5]\d\d$/.test(code.slice(2)) ? Number(code.slice(2)) : 500;
  const headers: Record<string, string> = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return new RestRefusal(status, code, message, {
    details: detail ?? null,
    hint: hint ?? null,
    headers,
  });
}

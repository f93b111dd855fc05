import { parseWithZod } from "@conform-to/zod/v4";
import { type AppLoadContext, redirect } from "@remix-run/node";
import type { z } from "zod";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/log.ts";
import { statusOf } from "./api/problem.ts";
import { sizeRefusal } from "./http/form-size.ts";

/** What a page says when an act was refused: what happened, what was found and needed, what to do. */
export interface PageProblem {
  code: string;
  text: string;
  found?: string;
  needed?: string;
  fix?: string;
}

/** An act that was done, or the problem and the status to answer with. */
export type Attempt<T> =
  | { done: true; result: T }
  | { done: false; status: number; problem: PageProblem; error: BerthError };

/** One is a slip; many are somebody who tries. */
const ATTACKS_LOOK_LIKE = new Set(["sign_in_refused", "rate_limited", "not_staff", "role_missing"]);

/**
 * Does what a form asks for. What the domain refuses comes back as a problem to show beside the
 * form; a fault of ours goes on to the error page.
 */
export async function attempt<T>(
  context: AppLoadContext,
  work: () => Promise<T>,
): Promise<Attempt<T>> {
  try {
    return { done: true, result: await work() };
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    const status = statusOf(error);
    const { runtime, correlationId, clientAddress } = context;
    // Unknown to the map of answers: a person can still be told, and we must be.
    if (status === 500) runtime.log.warn({ err: error, correlationId }, "an act on a page failed");
    if (ATTACKS_LOOK_LIKE.has(error.code)) {
      runtime.log.warn({ code: error.code, clientAddress, correlationId }, "an act was refused");
    }
    return { done: false, status: status === 500 ? 422 : status, problem: tell(error), error };
  }
}

/** The words of an error, free of secrets. */
export function tell(error: BerthError): PageProblem {
  const { code, message, found, needed, fix } = error;
  const facts = Object.entries({ found, needed, fix }).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, redactText(text)]],
  );
  return { code, text: redactText(message), ...Object.fromEntries(facts) };
}

/** More fields than any form of ours has. */
const MOST_FIELDS = 100;

/**
 * The fields of a posted form. Its size is judged before it is read.
 * @throws a 413 or 411 response for one that is too large, or does not say how large it is; a 400
 *   response for more fields than any form has, and for what is no form
 */
export async function readForm(request: Request): Promise<FormData> {
  const refused = sizeRefusal((name) => request.headers.get(name));
  if (refused !== null) throw new Response(null, { status: refused });
  const form = await request.formData().catch(() => null);
  if (!form || [...form.keys()].length > MOST_FIELDS) throw new Response(null, { status: 400 });
  for (const [name, value] of form) {
    if (typeof value !== "string" || name.includes("__proto__") || value.includes("\0")) {
      throw new Response(null, { status: 400 });
    }
  }
  return form;
}

/** Whether the person has said yes to the question of a `ConfirmButton`. */
export const isConfirmed = (form: FormData): boolean => form.get("confirmed") === "1";

/** What an address says of the act before: no news any more beside a question. */
const NEWS = ["done", "again", "switched"];

/**
 * The answer to an act that asks first and came unconfirmed, as it does without scripts: the same
 * page with this question open, which is the `question` of its `ConfirmButton`.
 */
export function askFirst({ url }: Pick<Request, "url">, question: string): Response {
  const { pathname, searchParams } = new URL(url);
  for (const name of NEWS) searchParams.delete(name);
  searchParams.set("confirm", question);
  return redirect(`${pathname}?${searchParams}#question`, 303);
}

/** What is wrong with which field of a form. */
export type FieldErrors = Record<string, string[]>;
/** What a form holds, or what is wrong with it. */
export type Parsed<T> = { value: T; errors: null } | { value: null; errors: FieldErrors };

/**
 * A form's values, or what is wrong with each field; of several problems of a field, the first.
 * `missing` says in words what each field that was left out asks for.
 */
export function parseForm<Schema extends z.ZodObject>(
  form: FormData,
  schema: Schema,
  missing: Partial<Record<keyof z.infer<Schema> & string, string>> = {},
): Parsed<z.infer<Schema>> {
  const words = new Map(Object.entries(missing));
  const submission = parseWithZod(form, {
    schema,
    error: ({ code, input, path }) => {
      const ask = words.get(String(path?.[0]));
      // A field that was left empty is absent here.
      if (input === undefined) return ask ?? "Fill this in.";
      if (code === "invalid_value") return ask;
      return code === "too_big" && typeof input === "string" ? "This is too long." : undefined;
    },
  });
  if (submission.status === "success") return { value: submission.value, errors: null };
  // In the order of the schema, which is that of the page.
  const errors = Object.keys(schema.shape).flatMap((name) => {
    const [first] = submission.error?.[name] ?? [];
    return first === undefined ? [] : [[name, [first]] as [string, string[]]];
  });
  return { value: null, errors: Object.fromEntries(errors) };
}

/** What a person wrote in these fields, to be shown again. Never name a secret here. */
export function echo<Name extends string>(
  form: FormData,
  names: readonly Name[],
): Record<Name, string> {
  return Object.fromEntries(
    names.map((name) => [name, String(form.get(name) ?? "").slice(0, 500)]),
  ) as Record<Name, string>;
}

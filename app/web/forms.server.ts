import type { AppLoadContext } from "@remix-run/node";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/log.ts";
import { statusOf } from "./api/problem.ts";

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
    // Unknown to the map of answers: a person can still be told, and we must be.
    if (status === 500) {
      const { correlationId } = context;
      context.runtime.log.warn({ err: error, correlationId }, "an act on a page failed");
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
 * The fields of a posted form. Its size is bounded before it is read (http/form-size.ts).
 * @throws a 400 response for more fields than any form has, and for what is no form
 */
export async function readForm(request: Request): Promise<FormData> {
  const form = await request.formData().catch(() => null);
  if (!form || [...form.keys()].length > MOST_FIELDS) throw new Response(null, { status: 400 });
  for (const [name, value] of form) {
    if (typeof value !== "string" || name.includes("__proto__") || value.includes("\0")) {
      throw new Response(null, { status: 400 });
    }
  }
  return form;
}

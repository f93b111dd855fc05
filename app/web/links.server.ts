import type { ActionFunctionArgs, AppLoadContext, LoaderFunctionArgs } from "@remix-run/node";
import { LinkNotValidError } from "#app/domain/notifications/index.server.ts";
import { BerthError } from "#app/platform/errors.ts";
import type { Actor } from "#db/index.ts";
import { RateLimitedError } from "./api/errors.ts";
import { EACH_STRANGER, spend } from "./api/limits.ts";

/** What a page behind a one-time link says when it cannot go on. */
export interface LinkProblem {
  title: string;
  text: string;
  /** Whether the link itself is still good. */
  again: boolean;
}

/** Who acts when a link is opened: nobody is signed in, the link alone speaks. */
const linkActor = ({ clientAddress, correlationId }: AppLoadContext): Actor => ({
  kind: "worker",
  id: "one-time link",
  origin: clientAddress,
  correlationId,
});

/** What the domain's functions about links need, from this request. */
export function linkDeps({ request, context }: LoaderFunctionArgs | ActionFunctionArgs) {
  const { runtime } = context;
  return {
    deps: { ...runtime.services, auth: runtime.auth, actor: linkActor(context) },
    token: new URL(request.url).searchParams.get("token") ?? "",
  };
}

/**
 * Does what a link is for, or says why not. A link that is not good costs its sender a call of the
 * budget of strangers, so that nobody can try many.
 */
export async function withLink<T>(
  context: AppLoadContext,
  work: () => Promise<T>,
): Promise<{ result: T; problem: null } | { result: null; problem: LinkProblem; status: number }> {
  try {
    return { result: await work(), problem: null };
  } catch (error) {
    if (error instanceof LinkNotValidError) return refuse(context, error);
    if (!(error instanceof BerthError)) throw error;
    context.runtime.log.warn({ err: error, correlationId: context.correlationId }, "a link failed");
    const text = [error.message, error.fix].filter(Boolean).join(" ");
    return {
      result: null,
      status: 422,
      problem: { title: "That did not work", text, again: true },
    };
  }
}

async function refuse(context: AppLoadContext, error: LinkNotValidError) {
  const { db } = context.runtime.services;
  const stranger: Actor = { ...linkActor(context), kind: "api", id: "unknown" };
  try {
    await spend(db, stranger, EACH_STRANGER, context.clientAddress);
  } catch (limited) {
    if (!(limited instanceof RateLimitedError)) throw limited;
    const problem = { title: "Too many attempts", text: limited.message, again: false };
    return { result: null, status: 429, problem };
  }
  // Where the error does not say what to do, that depends on what the link was for: its page says so.
  const problem = { title: error.message, text: error.fix ?? "", again: false };
  return { result: null, status: 404, problem };
}

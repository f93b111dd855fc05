import { parseWithZod } from "@conform-to/zod/v4";
import {
  type ActionFunctionArgs,
  type AppLoadContext,
  type LoaderFunctionArgs,
  redirect,
} from "@remix-run/node";
import type { z } from "zod";
import type { Visitor } from "#app/domain/identity/index.server.ts";
import {
  type Draft,
  findDraft,
  firstOpenStep,
  lastSubmitted,
  STEPS,
  type Step,
  StepNotOpenError,
} from "#app/domain/onboarding/index.server.ts";
import type { Actor } from "#db/index.ts";
import { type Attempt, attempt } from "./forms.server.ts";
import { getVisitor, inTx } from "./session.server.ts";

type Args = LoaderFunctionArgs | ActionFunctionArgs;

/** Who is at the wizard, and what stands in the draft. */
export interface AtStep {
  visitor: Visitor;
  actor: Actor;
  draft: Draft;
}

/** The customer that this account acts as. */
export const customerActor = ({ context }: Pick<Args, "context">, userId: string): Actor => ({
  kind: "customer",
  id: userId,
  origin: context.clientAddress,
  correlationId: context.correlationId,
});

/** The open draft of whoever is signed in. */
export async function currentDraft(
  args: Args,
): Promise<(Omit<AtStep, "draft"> & { draft: Draft | null }) | null> {
  const visitor = await getVisitor(args);
  if (!visitor) return null;
  const actor = customerActor(args, visitor.userId);
  return { visitor, actor, draft: await inTx(args, actor, (tx) => findDraft(tx, visitor.userId)) };
}

/**
 * The page of a step, for who has answered those before.
 * @throws a redirect to the first step without an answer, or to the request that was made of it all
 */
export async function openStep(args: Args, step: Step): Promise<AtStep> {
  const found = await currentDraft(args);
  if (!found) throw redirect("/sign-up/business");
  const { visitor, actor, draft } = found;
  if (draft) {
    const first = firstOpenStep(draft.answers);
    if (STEPS.indexOf(first) < STEPS.indexOf(step)) throw redirect(`/sign-up/${first}`);
    return { visitor, actor, draft };
  }
  // Whoever goes back after submitting finds what came of it.
  const requestId = await inTx(args, actor, (tx) => lastSubmitted(tx, visitor.userId));
  throw redirect(requestId ? `/requests/${requestId}` : "/sign-up/business");
}

/**
 * Does what a step's form asks for.
 * @throws a redirect where an earlier step has no answer
 */
export async function attemptStep<T>(
  context: AppLoadContext,
  work: () => Promise<T>,
): Promise<Attempt<T>> {
  const outcome = await attempt(context, work);
  if (!outcome.done && outcome.error instanceof StepNotOpenError) {
    throw redirect(`/sign-up/${outcome.error.step}`, 303);
  }
  return outcome;
}

/** Where a step leads: on, or back to the review for who came from there to change something. */
export function afterStep(request: Request, step: Step): Response {
  const changing = new URL(request.url).searchParams.has("change");
  const next = changing ? "review" : STEPS[STEPS.indexOf(step) + 1];
  return redirect(`/sign-up/${next}`, 303);
}

/** What a form holds, or what is wrong with which of its fields. */
export type Parsed<T> = { value: T; errors: null } | { value: null; errors: FieldErrors };
export type FieldErrors = Record<string, string[]>;

/** Parses a step's form; `missing` says in words what each field that was left out asks for. */
export function parseStep<Schema extends z.ZodObject>(
  form: FormData,
  schema: Schema,
  missing: Partial<Record<keyof z.infer<Schema> & string, string>>,
): Parsed<z.infer<Schema>> {
  const words = new Map(Object.entries(missing));
  const submission = parseWithZod(form, {
    schema,
    error: ({ code, input, path }) => {
      const ask = words.get(String(path?.[0])) ?? "Fill this in.";
      if (input === undefined || code === "invalid_value") return ask;
      return code === "too_big" ? "This is too long." : undefined;
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
export function echo(form: FormData, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, String(form.get(name) ?? "").slice(0, 500)]),
  );
}

/** A price in words, of an amount in the currency's smallest unit. */
export function formatPrice(amount: number, currency: string): string {
  const whole = amount % 100 === 0;
  return new Intl.NumberFormat("en-IE", {
    style: "currency",
    currency,
    minimumFractionDigits: whole ? 0 : 2,
  }).format(amount / 100);
}

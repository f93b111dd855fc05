import { parseWithZod } from "@conform-to/zod/v4";
import type { ActionFunctionArgs } from "@remix-run/node";
import type { z } from "zod";
import type { StaffDeps } from "#app/domain/staff/index.server.ts";
import type { Actor } from "#db/index.ts";

/** What the domain's commands about staff need, from this request. */
export function staffDeps(
  { context }: Pick<ActionFunctionArgs, "context">,
  actor: Actor,
): StaffDeps {
  const { services, auth } = context.runtime;
  return { db: services.db, auth, actor };
}

/** A form's values, or what is wrong with each field; of several problems of a field, the first. */
export function parseForm<Output>(
  form: FormData,
  schema: z.ZodType<Output>,
): { value: Output; errors: null } | { value: null; errors: Record<string, string[]> } {
  const submission = parseWithZod(form, {
    schema,
    // A field that was left empty is absent here.
    error: ({ code, input }) =>
      code === "invalid_type" && input === undefined ? "Fill this in." : undefined,
  });
  if (submission.status === "success") return { value: submission.value, errors: null };
  const errors = Object.entries(submission.error ?? {}).flatMap(([name, texts]) =>
    texts ? [[name, texts.slice(0, 1)] as const] : [],
  );
  return { value: null, errors: Object.fromEntries(errors) };
}

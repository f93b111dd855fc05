import type { Answer } from "../platform/http.ts";

/** What a field of a request body must be; the text is what the refusal says. */
export type Check = { ok: (value: unknown) => boolean; must: string; required?: boolean };

export const text = (max = 10_000, required = false): Check => ({
  ok: (value) => typeof value === "string" && value.length > 0 && value.length <= max,
  must: `must be a string of 1 to ${max} characters`,
  required,
});

export const oneOf = (values: readonly string[]): Check => ({
  ok: (value) => values.includes(value as string),
  must: `must be one of ${values.join(", ")}`,
});

export const bool: Check = { ok: (value) => typeof value === "boolean", must: "must be a boolean" };

/** The Management API's shape of every refusal. */
export const refuse = (status: number, message: string): Answer => ({ status, json: { message } });

/** Checks a body against its fields; the refusal names the first field that is wrong. */
export function checkBody(
  body: Record<string, unknown> | null,
  fields: Record<string, Check>,
): Answer | null {
  if (!body) return refuse(400, "The request body must be a JSON object");
  for (const name of Object.keys(body)) {
    if (!Object.hasOwn(fields, name)) {
      return refuse(400, `Unrecognized key in object: '${name}'`);
    }
  }
  for (const [name, check] of Object.entries(fields)) {
    const value = body[name];
    if (value === undefined) {
      if (check.required) return refuse(400, `${name}: Required`);
    } else if (!check.ok(value)) {
      return refuse(400, `${name}: ${check.must}`);
    }
  }
  return null;
}

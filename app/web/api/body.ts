import type { z } from "zod";
import {
  BodyMalformedError,
  BodyTooLargeError,
  FieldsInvalidError,
  MediaTypeError,
} from "./errors.ts";

/** Largest body of a call, in bytes. The largest honest one is a few kilobytes. */
export const MAX_BODY_BYTES = 64 * 1024;

/**
 * Up to here a body that is too large is read to its end and thrown away: a client that is cut off
 * while it sends would never see the answer.
 */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024;

/**
 * Reads a JSON body of bounded size; absent counts as `{}`.
 * @throws MediaTypeError, BodyTooLargeError, BodyMalformedError
 */
export async function readJson(request: Request): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_DISCARDED_BYTES) {
    throw new BodyTooLargeError(MAX_BODY_BYTES);
  }
  const text = await readText(request);
  if (text === "") return {};
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new MediaTypeError();
  try {
    return JSON.parse(text);
  } catch {
    throw new BodyMalformedError("The body is not JSON.");
  }
}

async function readText(request: Request): Promise<string> {
  if (!request.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_DISCARDED_BYTES) break;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) throw new BodyTooLargeError(MAX_BODY_BYTES);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new BodyMalformedError("The body is not UTF-8.");
  }
}

/** Names of this kind are never honest, whatever a schema makes of them. */
const POISON = new Set(["__proto__", "constructor", "prototype"]);

/** Where such a name stands in a value, at whatever depth. */
function poisonIn(value: unknown): string[] {
  const found: string[] = [];
  const open: { value: unknown; path: string }[] = [{ value, path: "" }];
  for (let next = open.pop(); next; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    for (const name of Object.getOwnPropertyNames(next.value)) {
      const path = next.path === "" ? name : `${next.path}.${name}`;
      if (POISON.has(name)) found.push(path);
      else open.push({ value: (next.value as Record<string, unknown>)[name], path });
    }
  }
  return found;
}

/** The value as the schema has it. @throws FieldsInvalidError with each field. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown): T {
  const poisoned = poisonIn(value);
  if (poisoned.length > 0) {
    throw new FieldsInvalidError(poisoned.map((field) => ({ field, message: "Unknown field." })));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new FieldsInvalidError(
    parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({
            field: [...issue.path, key.slice(0, 100)].join("."),
            message: "Unknown field.",
          }))
        : [{ field: issue.path.join("."), message: issue.message }],
    ),
  );
}

/** A query string as an object. @throws FieldsInvalidError where a name comes twice. */
export function readQuery(url: URL): Record<string, string> {
  const names = [...url.searchParams.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new FieldsInvalidError([{ field: twice.slice(0, 100), message: "Give this once." }]);
  }
  // An empty filter is no filter.
  return Object.fromEntries([...url.searchParams].filter(([, value]) => value !== ""));
}

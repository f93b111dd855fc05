import type { z } from "zod";

/** More parameters than any list of ours takes. */
const MOST_PARAMETERS = 50;

/**
 * What a list is to show, from its address. An address may be old, or written by hand: a value
 * that means nothing is left out and named, so that the page can say so; parameters of no filter are
 * passed over. Blank is absent, as forms send it.
 */
export function readFilter<Shape extends z.ZodRawShape>(
  request: Request,
  schema: z.ZodObject<Shape>,
): {
  filter: z.output<z.ZodObject<Shape>>;
  ignored: { name: string; reason: string }[];
  params: Record<string, string>;
} {
  const params: Record<string, string> = {};
  const ignored = new Set<string>();
  for (const [name, text] of [...new URL(request.url).searchParams].slice(0, MOST_PARAMETERS)) {
    const value = text.trim();
    if (value === "" || !Object.hasOwn(schema.shape, name)) continue;
    const field = schema.shape[name] as z.ZodType;
    if (field.safeParse(value).success) params[name] = value;
    else ignored.add(name);
  }
  const reason = "has a value that this list does not know";
  return {
    filter: schema.parse(params),
    ignored: [...ignored].map((name) => ({ name, reason })),
    params,
  };
}

import { z } from "zod";

/** What a key may do: `public` is for browsers (row-level security holds), `secret` sees all. */
export type KeyRole = "public" | "secret";

/** A project's API key as its text tells; only the gateway knows whether it is valid. */
export interface ProjectKey {
  /** Without the white space that copying leaves around it. */
  text: string;
  /** `legacy` keys are JWTs; the others begin with `sb_publishable_` and `sb_secret_`. */
  generation: "legacy" | "publishable" | "secret";
  role: KeyRole;
  /** The project that a legacy key names; the others name none. */
  ref: string | null;
}

const claims = z.object({
  role: z.enum(["anon", "service_role"]),
  ref: z
    .string()
    .regex(/^[a-z]{20}$/)
    .optional(),
});

/**
 * Recognises a key by its form. A legacy key's signature is not verified (its secret is not ours);
 * its claims serve to say what somebody pasted, never to trust it.
 * @returns `null` for anything that is no Supabase project key
 */
export function recogniseKey(pasted: string): ProjectKey | null {
  if (pasted.length > 4_096) return null;
  const text = pasted.trim();
  const modern = /^sb_(publishable|secret)_[A-Za-z0-9_-]{10,200}$/.exec(text)?.[1];
  if (modern === "publishable") return { text, generation: modern, role: "public", ref: null };
  if (modern === "secret") return { text, generation: modern, role: "secret", ref: null };

  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(text)?.[1];
  if (!payload) return null;
  let decoded: unknown;
  try {
    decoded = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return null;
  }
  const { data } = claims.safeParse(decoded);
  if (!data) return null;
  const role = data.role === "anon" ? "public" : "secret";
  return { text, generation: "legacy", role, ref: data.ref ?? null };
}

import { randomBytes, randomInt } from "node:crypto";
import { SignJWT } from "jose";
import type { Project } from "./project.ts";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const BASE62 = `0123456789${LETTERS}${LETTERS.toUpperCase()}`;
/** Legacy API keys live for ten years. */
const LEGACY_KEY_SECONDS = 10 * 365 * 86_400;

function pick(alphabet: string, length: number): string {
  let text = "";
  for (let i = 0; i < length; i += 1) text += alphabet[randomInt(alphabet.length)];
  return text;
}

/** A project reference: 20 letters a-z. */
export const newRef = () => pick(LETTERS, 20);

/** A password of letters and digits, so that it means the same in every connection string. */
export const newPassword = () => pick(BASE62, 24);

async function legacyKey(ref: string, role: string, secret: string): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({ iss: "supabase", ref, role, iat: now, exp: now + LEGACY_KEY_SECONDS })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(secret));
}

/** The secrets of a new project: the signing secret, two legacy JWTs, two keys of the new kind. */
export async function newKeys(
  ref: string,
): Promise<
  Pick<Project, "jwtSecret" | "anonKey" | "serviceRoleKey" | "publishableKey" | "secretKey">
> {
  const jwtSecret = randomBytes(64).toString("base64");
  return {
    jwtSecret,
    anonKey: await legacyKey(ref, "anon", jwtSecret),
    serviceRoleKey: await legacyKey(ref, "service_role", jwtSecret),
    publishableKey: `sb_publishable_${pick(BASE62, 22)}_${pick(BASE62, 8)}`,
    secretKey: `sb_secret_${pick(BASE62, 22)}_${pick(BASE62, 8)}`,
  };
}

/** An API key that the gateway accepted. */
export interface AcceptedKey {
  role: "anon" | "service_role";
  kind: "legacy" | "new";
}

/** Tells whether `key` is one of this project's own; null when it is not. */
export function recogniseKey(project: Project, key: string): AcceptedKey | null {
  if (project.keys !== "new") {
    if (key === project.anonKey) return { role: "anon", kind: "legacy" };
    if (key === project.serviceRoleKey) return { role: "service_role", kind: "legacy" };
  }
  if (project.keys !== "legacy") {
    if (key === project.publishableKey) return { role: "anon", kind: "new" };
    if (key === project.secretKey) return { role: "service_role", kind: "new" };
  }
  return null;
}

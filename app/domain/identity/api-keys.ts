import { defaultKeyHasher } from "@better-auth/api-key";
import type { Auth } from "./auth.ts";
import { AuthUnavailableError, InvalidKeyError, MissingScopeError } from "./errors.ts";
import { fromPermissions, type Scope } from "./scopes.ts";

export interface KeyHolder {
  keyId: string;
  userId: string;
  scopes: Scope[];
}

/**
 * Who stands behind an API key.
 * @throws InvalidKeyError, AuthUnavailableError
 */
export async function identifyKey(auth: Auth, key: string): Promise<KeyHolder> {
  // Longer than any key that was ever issued: not worth a hash.
  if (key.length === 0 || key.length > 200) throw new InvalidKeyError();
  const answer = await auth.api.verifyApiKey({ body: { key } });
  // better-auth calls a key invalid also where it failed to look it up or to note its use.
  if (answer.error?.code === "INVALID_API_KEY" && (await isStored(auth, key))) {
    throw new AuthUnavailableError(undefined);
  }
  if (!answer.valid || !answer.key) throw new InvalidKeyError();
  return {
    keyId: answer.key.id,
    userId: answer.key.referenceId,
    scopes: fromPermissions(answer.key.permissions),
  };
}

/** @throws AuthUnavailableError where the database cannot tell. */
async function isStored(auth: Auth, key: string): Promise<boolean> {
  const { adapter } = await auth.$context;
  const value = await defaultKeyHasher(key);
  try {
    return (await adapter.findOne({ model: "apikey", where: [{ field: "key", value }] })) !== null;
  } catch (error) {
    throw new AuthUnavailableError(error);
  }
}

/** @throws MissingScopeError */
export function requireScope(holder: KeyHolder, scope: Scope): void {
  if (!holder.scopes.includes(scope)) throw new MissingScopeError(scope);
}

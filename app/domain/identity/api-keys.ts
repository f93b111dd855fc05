import type { Auth } from "./auth.ts";
import { InvalidKeyError, MissingScopeError } from "./errors.ts";
import { fromPermissions, type Scope } from "./scopes.ts";

export interface KeyHolder {
  keyId: string;
  userId: string;
  scopes: Scope[];
}

/**
 * Who stands behind an API key.
 * @throws InvalidKeyError
 */
export async function identifyKey(auth: Auth, key: string): Promise<KeyHolder> {
  // Longer than any key that was ever issued: not worth a hash.
  if (key.length === 0 || key.length > 200) throw new InvalidKeyError();
  const answer = await auth.api.verifyApiKey({ body: { key } });
  if (!answer.valid || !answer.key) throw new InvalidKeyError();
  return {
    keyId: answer.key.id,
    userId: answer.key.referenceId,
    scopes: fromPermissions(answer.key.permissions),
  };
}

/** @throws MissingScopeError */
export function requireScope(holder: KeyHolder, scope: Scope): void {
  if (!holder.scopes.includes(scope)) throw new MissingScopeError(scope);
}

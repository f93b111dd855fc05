import type { Auth } from "./auth.ts";
import { SignInRefusedError } from "./errors.ts";
import { requireGoodPassword } from "./password-rule.ts";
import { signIn } from "./sessions.ts";

export interface NewAccount {
  /** Lower case. */
  email: string;
  name: string;
  password: string;
}

/**
 * Makes an account with its password, in one transaction of better-auth's.
 * @returns its id; null where the address has an account already
 * @throws WeakPasswordError
 */
async function openAccount(auth: Auth, person: NewAccount): Promise<string | null> {
  const { email, name, password } = person;
  requireGoodPassword(password);
  const { adapter, internalAdapter, password: passwords } = await auth.$context;
  if (await internalAdapter.findUserByEmail(email)) return null;
  const hash = await passwords.hash(password);
  const now = new Date();
  const times = { createdAt: now, updatedAt: now };
  try {
    return await adapter.transaction(async (tx) => {
      const { id } = await tx.create<{ id: string }>({
        model: "user",
        data: { email, name, emailVerified: false, ...times },
      });
      await tx.create({
        model: "account",
        data: { userId: id, accountId: id, providerId: "credential", password: hash, ...times },
      });
      return id;
    });
  } catch (error) {
    // Two at once: the address is somebody's now, and its password decides.
    if (await internalAdapter.findUserByEmail(email)) return null;
    throw error;
  }
}

/**
 * Opens a session of the account of this address, made if there is none. Where there is one, the
 * password must be its own.
 * @returns the account's id, and `Set-Cookie` headers that are for the browser alone
 * @throws WeakPasswordError, SignInRefusedError
 */
export async function signUp(
  auth: Auth,
  person: NewAccount,
  headers: Headers,
): Promise<{ userId: string; isNew: boolean; cookies: Headers }> {
  const made = await openAccount(auth, person);
  const cookies = await signIn(auth, person, headers);
  if (made !== null) return { userId: made, isNew: true, cookies };
  const { internalAdapter } = await auth.$context;
  const found = await internalAdapter.findUserByEmail(person.email);
  if (!found) throw new SignInRefusedError();
  return { userId: found.user.id, isNew: false, cookies };
}

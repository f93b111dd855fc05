import { randomBytes } from "node:crypto";
import { KEY_BYTES } from "#app/platform/crypto/aes-gcm.ts";
import { KeyringError, UnknownKeyError } from "./errors.ts";

export interface MasterKey {
  id: string;
  key: Buffer;
}

/** The master keys, newest first: the first one seals, all of them open. */
export interface Keyring {
  newest: MasterKey;
  ids: string[];
  /** @throws UnknownKeyError */
  get(id: string): MasterKey;
}

/**
 * A keyring of the keys that the environment gave; their strength is checked where they are parsed.
 * @throws KeyringError for none, a wrong size, or one id twice.
 */
export function createKeyring(keys: readonly MasterKey[]): Keyring {
  const [newest] = keys;
  if (!newest) throw new KeyringError("The keyring holds no key.");
  const byId = new Map(keys.map((entry) => [entry.id, entry]));
  if (byId.size !== keys.length) throw new KeyringError("The keyring names the same key id twice.");
  if (keys.some((entry) => entry.key.length !== KEY_BYTES)) {
    throw new KeyringError(`A master key has ${KEY_BYTES} bytes.`);
  }
  return {
    newest,
    ids: [...byId.keys()],
    get(id) {
      const entry = byId.get(id);
      if (!entry) throw new UnknownKeyError(id);
      return entry;
    },
  };
}

/** A new entry for ENCRYPTION_KEYS, `id:base64`; the id tells the day it was drawn. */
export function generateKey(now: Date): string {
  const day = now.toISOString().slice(0, 10).replaceAll("-", "");
  const id = `k${day}-${randomBytes(2).toString("hex")}`;
  return `${id}:${randomBytes(KEY_BYTES).toString("base64")}`;
}

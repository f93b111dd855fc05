import { createCipheriv, createDecipheriv } from "node:crypto";
import { BerthError } from "#app/platform/errors.ts";

export const KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;

/** The text did not open: another key, another place, or a changed byte. Which one, nobody can tell. */
export class UnsealError extends BerthError {
  constructor() {
    super("unseal_failed", "A sealed value could not be opened with the key that sealed it.");
  }
}

function assertSizes(key: Buffer, iv: Buffer): void {
  if (key.length !== KEY_BYTES) throw new RangeError(`An AES-256 key has ${KEY_BYTES} bytes.`);
  if (iv.length !== IV_BYTES) throw new RangeError(`The IV has ${IV_BYTES} bytes.`);
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a 96-bit IV and a 128-bit tag.
 * @returns ciphertext followed by the tag.
 */
export function encrypt(key: Buffer, iv: Buffer, aad: Buffer, plain: Buffer): Buffer {
  assertSizes(key, iv);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/**
 * The reverse of {@link encrypt}.
 * @throws UnsealError for anything but the very bytes that were sealed.
 */
export function decrypt(key: Buffer, iv: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  assertSizes(key, iv);
  if (sealed.length < TAG_BYTES) throw new UnsealError();
  // Without authTagLength Node accepts tags of four bytes, which can be guessed.
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    throw new UnsealError();
  }
}

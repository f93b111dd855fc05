/**
 * The sealed format, version 1: one version byte, a 12-byte IV, the ciphertext, a 16-byte tag.
 * The additional authenticated data ties a value to its place, so that it opens nowhere else.
 */
import { randomBytes } from "node:crypto";
import { decrypt, encrypt, IV_BYTES, KEY_BYTES } from "#app/platform/crypto/aes-gcm.ts";
import { SecretNotStorableError, UnknownFormatError } from "./errors.ts";
import type { Keyring } from "./keyring.ts";

const VERSION = 1;

/** Longest value that can be sealed, in bytes of UTF-8. */
export const MAX_SECRET_BYTES = 1_048_576;

export interface FieldPlace {
  purpose: string;
  backendId: string;
  field: string;
  generation: number;
}

export interface DataKeyPlace {
  backendId: string;
  generation: number;
}

/** Each part with its length before it: no two lists of parts give the same bytes. */
function authenticate(...parts: (string | number)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(String(part), "utf8");
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

const fieldAad = (place: FieldPlace) =>
  authenticate("field", place.purpose, place.backendId, place.field, place.generation);

const dataKeyAad = (place: DataKeyPlace, keyId: string) =>
  authenticate("data-key", place.backendId, place.generation, keyId);

function sealBytes(key: Buffer, aad: Buffer, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  return Buffer.concat([Buffer.of(VERSION), iv, encrypt(key, iv, aad, plain)]);
}

function openBytes(key: Buffer, aad: Buffer, sealed: Buffer): Buffer {
  if (sealed[0] !== VERSION) throw new UnknownFormatError(sealed[0]);
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  if (iv.length !== IV_BYTES) throw new UnknownFormatError(undefined);
  return decrypt(key, iv, aad, sealed.subarray(1 + IV_BYTES));
}

/**
 * Seals one text in its place.
 * @throws SecretNotStorableError for a text over 1 MiB, or one that UTF-8 cannot hold unaltered.
 */
export function sealField(dataKey: Buffer, place: FieldPlace, text: string): Buffer {
  if (!text.isWellFormed()) {
    throw new SecretNotStorableError(place.field, "it holds half of a surrogate pair");
  }
  const plain = Buffer.from(text, "utf8");
  if (plain.length > MAX_SECRET_BYTES) {
    throw new SecretNotStorableError(place.field, "it is longer than 1 MiB");
  }
  return sealBytes(dataKey, fieldAad(place), plain);
}

/** @throws UnsealError, UnknownFormatError */
export function openField(dataKey: Buffer, place: FieldPlace, sealed: Buffer): string {
  return openBytes(dataKey, fieldAad(place), sealed).toString("utf8");
}

/** A fresh data key, and the same wrapped by the newest master key. */
export function makeDataKey(keyring: Keyring, place: DataKeyPlace) {
  const dataKey = randomBytes(KEY_BYTES);
  const { id, key } = keyring.newest;
  return { dataKey, keyId: id, wrapped: sealBytes(key, dataKeyAad(place, id), dataKey) };
}

/** @throws UnknownKeyError, UnsealError, UnknownFormatError */
export function unwrapDataKey(
  keyring: Keyring,
  place: DataKeyPlace,
  keyId: string,
  wrapped: Buffer,
): Buffer {
  return openBytes(keyring.get(keyId).key, dataKeyAad(place, keyId), wrapped);
}

const CANARY = "berth canary";

/** A known text under one master key, to tell at boot whether the key is the right one. */
export function sealCanary(keyring: Keyring, keyId: string): Buffer {
  return sealBytes(keyring.get(keyId).key, authenticate("canary", keyId), Buffer.from(CANARY));
}

/** @throws UnknownKeyError, UnsealError, UnknownFormatError */
export function openCanary(keyring: Keyring, keyId: string, sealed: Buffer): void {
  openBytes(keyring.get(keyId).key, authenticate("canary", keyId), sealed);
}

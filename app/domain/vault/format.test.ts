import { createCipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnsealError } from "#app/platform/crypto/aes-gcm.ts";
import { SecretNotStorableError, UnknownFormatError, UnknownKeyError } from "./errors.ts";
import {
  type FieldPlace,
  MAX_SECRET_BYTES,
  makeDataKey,
  openCanary,
  openField,
  sealCanary,
  sealField,
  unwrapDataKey,
} from "./format.ts";
import { createKeyring } from "./keyring.ts";

const newest = { id: "k2", key: randomBytes(32) };
const older = { id: "k1", key: randomBytes(32) };
const keyring = createKeyring([newest, older]);
const dataKey = randomBytes(32);
const place: FieldPlace = {
  purpose: "backend-credentials",
  backendId: "00000000-0000-7000-8000-00000000000a",
  field: "databaseUrl",
  generation: 1,
};

const flips = (sealed: Buffer) =>
  Array.from({ length: sealed.length * 8 }, (_, bit) => {
    const copy = Buffer.from(sealed);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy;
  });

describe("a sealed field", () => {
  it("opens as the very text that was sealed", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        expect(openField(dataKey, place, sealField(dataKey, place, text))).toBe(text);
      }),
      { numRuns: 300 },
    );
    for (const text of ["", "\0", "\ufeffmarked", "e\u0301 is not \u00e9", "🛥".repeat(100)]) {
      expect(openField(dataKey, place, sealField(dataKey, place, text))).toBe(text);
    }
  });

  it("may be 1 MiB long, counted in bytes, and no longer", () => {
    const longest = "x".repeat(MAX_SECRET_BYTES);
    expect(openField(dataKey, place, sealField(dataKey, place, longest)) === longest).toBe(true);
    for (const text of [`${longest}x`, "é".repeat(MAX_SECRET_BYTES / 2 + 1)]) {
      expect(() => sealField(dataKey, place, text)).toThrow(SecretNotStorableError);
    }
  });

  it("refuses half a surrogate pair instead of altering it, and does not repeat it", () => {
    for (const text of ["\ud83d", "canary-\udef3-canary", "\udef3\ud83d"]) {
      expect(() => sealField(dataKey, place, text)).toThrow(SecretNotStorableError);
      expect(() => sealField(dataKey, place, text)).not.toThrow(/canary/);
    }
  });

  it("is refused after any single flipped bit", () => {
    const sealed = sealField(dataKey, place, "postgresql://postgres:pw@db/postgres");
    const versionBits = 8;
    for (const [bit, copy] of flips(sealed).entries()) {
      const wanted = bit < versionBits ? UnknownFormatError : UnsealError;
      expect(() => openField(dataKey, place, copy), `bit ${bit}`).toThrow(wanted);
    }
  });

  it("opens nowhere but in its place", () => {
    const sealed = sealField(dataKey, place, "secret");
    const elsewhere: Partial<FieldPlace>[] = [
      { purpose: "owner-link" },
      { backendId: "00000000-0000-7000-8000-00000000000b" },
      { field: "anonKey" },
      { generation: 2 },
      // The same letters, cut up in another way.
      { purpose: "backend-credentials0", backendId: place.backendId.slice(1) },
    ];
    for (const change of elsewhere) {
      expect(() => openField(dataKey, { ...place, ...change }, sealed)).toThrow(UnsealError);
    }
    expect(() => openField(randomBytes(32), place, sealed)).toThrow(UnsealError);
    expect(openField(dataKey, place, sealed)).toBe("secret");
  });

  it("never looks the same twice", () => {
    const all = Array.from({ length: 1_000 }, () => sealField(dataKey, place, "secret"));
    const ivs = new Set(all.map((sealed) => sealed.subarray(1, 13).toString("hex")));
    expect(ivs.size).toBe(1_000);
    expect(new Set(all.map((sealed) => sealed.subarray(13).toString("hex"))).size).toBe(1_000);
  });

  it("is refused with a short tag, and cut off anywhere", () => {
    for (const authTagLength of [4, 8, 12, 13, 14, 15]) {
      const iv = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", dataKey, iv, { authTagLength });
      const text = Buffer.concat([cipher.update("secret"), cipher.final()]);
      const sealed = Buffer.concat([Buffer.of(1), iv, text, cipher.getAuthTag()]);
      expect(() => openField(dataKey, place, sealed)).toThrow(UnsealError);
    }
    const sealed = sealField(dataKey, place, "secret");
    for (let length = 0; length < sealed.length; length += 1) {
      const wanted = length < 13 ? UnknownFormatError : UnsealError;
      expect(() => openField(dataKey, place, sealed.subarray(0, length))).toThrow(wanted);
    }
  });

  it("of another format version is refused as such", () => {
    const sealed = sealField(dataKey, place, "secret");
    for (const version of [0, 2, 255]) {
      const other = Buffer.concat([Buffer.of(version), sealed.subarray(1)]);
      expect(() => openField(dataKey, place, other)).toThrow(UnknownFormatError);
    }
  });
});

describe("a wrapped data key", () => {
  const where = { backendId: place.backendId, generation: 1 };

  it("is fresh each time, wrapped by the newest key, and opens again", () => {
    const made = Array.from({ length: 50 }, () => makeDataKey(keyring, where));
    expect(new Set(made.map((one) => one.dataKey.toString("hex"))).size).toBe(50);
    for (const one of made) {
      expect(one.keyId).toBe("k2");
      expect(unwrapDataKey(keyring, where, one.keyId, one.wrapped)).toEqual(one.dataKey);
    }
  });

  it("is refused after any single flipped bit", () => {
    const { keyId, wrapped } = makeDataKey(keyring, where);
    for (const [bit, copy] of flips(wrapped).entries()) {
      const wanted = bit < 8 ? UnknownFormatError : UnsealError;
      expect(() => unwrapDataKey(keyring, where, keyId, copy), `bit ${bit}`).toThrow(wanted);
    }
  });

  it("opens for no other backend, generation or key id", () => {
    const { keyId, wrapped } = makeDataKey(keyring, where);
    const open = (at: typeof where, id: string) => () => unwrapDataKey(keyring, at, id, wrapped);
    expect(open({ ...where, generation: 2 }, keyId)).toThrow(UnsealError);
    expect(open({ ...where, backendId: "b" }, keyId)).toThrow(UnsealError);
    expect(open(where, "k1")).toThrow(UnsealError);
    // The right bytes under another name: the id is part of what is authenticated.
    const renamed = createKeyring([{ id: "k3", key: newest.key }]);
    expect(() => unwrapDataKey(renamed, where, "k3", wrapped)).toThrow(UnsealError);
  });

  it("of a key that is not in the keyring is refused without trying the others", () => {
    const { wrapped } = makeDataKey(keyring, where);
    const others = createKeyring([{ id: "k9", key: newest.key }, older]);
    expect(() => unwrapDataKey(others, where, "k2", wrapped)).toThrow(UnknownKeyError);
    expect(() => unwrapDataKey(others, where, "k2", wrapped)).toThrow(/"k2"/);
  });

  it("is no field, and no canary", () => {
    const { wrapped } = makeDataKey(keyring, where);
    expect(() => openField(newest.key, place, wrapped)).toThrow(UnsealError);
    expect(() => openCanary(keyring, "k2", wrapped)).toThrow(UnsealError);
    expect(() => openCanary(keyring, "k2", sealCanary(keyring, "k1"))).toThrow(UnsealError);
    expect(() => openCanary(keyring, "k1", sealCanary(keyring, "k1"))).not.toThrow();
  });
});

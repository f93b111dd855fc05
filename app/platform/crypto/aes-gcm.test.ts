import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decrypt, encrypt, UnsealError } from "./aes-gcm.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const bytes = (options: { maxLength: number }) =>
  fc.uint8Array(options).map((array) => Buffer.from(array));

/** Test cases 13, 14 and 16 of the GCM specification (McGrew and Viega), which NIST adopted. */
const PUBLISHED = [
  {
    key: "00".repeat(32),
    iv: "00".repeat(12),
    aad: "",
    plain: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    iv: "00".repeat(12),
    aad: "",
    plain: "00".repeat(16),
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308".repeat(2),
    iv: "cafebabefacedbaddecaf888",
    aad: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    plain:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
];

describe("AES-256-GCM", () => {
  it.each(PUBLISHED)("gives the published bytes: $sealed", ({ key, iv, aad, plain, sealed }) => {
    expect(encrypt(hex(key), hex(iv), hex(aad), hex(plain)).toString("hex")).toBe(sealed);
    expect(decrypt(hex(key), hex(iv), hex(aad), hex(sealed)).toString("hex")).toBe(plain);
  });

  it("opens what it sealed, whatever it was", () => {
    fc.assert(
      fc.property(bytes({ maxLength: 2_000 }), bytes({ maxLength: 200 }), (plain, aad) => {
        const [key, iv] = [randomBytes(32), randomBytes(12)];
        const sealed = encrypt(key, iv, aad, plain);
        expect(sealed).toHaveLength(plain.length + 16);
        expect(decrypt(key, iv, aad, sealed)).toEqual(plain);
      }),
    );
  });

  it("refuses every flipped bit, another key, another IV and another AAD", () => {
    const [key, iv, aad] = [randomBytes(32), randomBytes(12), Buffer.from("place")];
    const sealed = encrypt(key, iv, aad, Buffer.from("a secret of some length"));
    const flipped = (from: Buffer, bit: number) => {
      const copy = Buffer.from(from);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      return copy;
    };
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      expect(() => decrypt(key, iv, aad, flipped(sealed, bit)), `bit ${bit}`).toThrow(UnsealError);
    }
    expect(() => decrypt(flipped(key, 0), iv, aad, sealed)).toThrow(UnsealError);
    expect(() => decrypt(key, flipped(iv, 95), aad, sealed)).toThrow(UnsealError);
    expect(() => decrypt(key, iv, flipped(aad, 7), sealed)).toThrow(UnsealError);
    expect(() => decrypt(key, iv, Buffer.alloc(0), sealed)).toThrow(UnsealError);
    expect(decrypt(key, iv, aad, sealed).toString()).toBe("a secret of some length");
  });

  it.each([4, 8, 12, 13, 14, 15])("refuses a tag of %i bytes, made as such or cut", (length) => {
    const [key, iv, aad] = [randomBytes(32), randomBytes(12), Buffer.from("place")];
    for (const plain of ["", "a secret"]) {
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: length });
      cipher.setAAD(aad);
      const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
      const made = Buffer.concat([text, cipher.getAuthTag()]);
      expect(() => decrypt(key, iv, aad, made)).toThrow(UnsealError);
      const whole = encrypt(key, iv, aad, Buffer.from(plain));
      const cut = whole.subarray(0, whole.length - 16 + length);
      expect(() => decrypt(key, iv, aad, cut)).toThrow(UnsealError);
    }
  });

  it("stands on a guard that is needed: Node itself takes a tag of four bytes", () => {
    const [key, iv] = [randomBytes(32), randomBytes(12)];
    const tag = encrypt(key, iv, Buffer.alloc(0), Buffer.alloc(0)).subarray(0, 4);
    const open = (options?: { authTagLength: number }) => {
      const decipher = createDecipheriv("aes-256-gcm", key, iv, options);
      decipher.setAuthTag(tag);
      return decipher.final();
    };
    expect(() => open({ authTagLength: 16 })).toThrow();
    expect(() => open({ authTagLength: 4 })).not.toThrow();
  });

  it("refuses keys and IVs of another size", () => {
    const empty = Buffer.alloc(0);
    for (const size of [0, 16, 24, 31, 33]) {
      expect(() => encrypt(randomBytes(size), randomBytes(12), empty, empty)).toThrow(RangeError);
      expect(() => decrypt(randomBytes(size), randomBytes(12), empty, empty)).toThrow(RangeError);
    }
    for (const size of [0, 8, 11, 13, 16]) {
      expect(() => encrypt(randomBytes(32), randomBytes(size), empty, empty)).toThrow(RangeError);
      expect(() => decrypt(randomBytes(32), randomBytes(size), empty, empty)).toThrow(RangeError);
    }
  });
});

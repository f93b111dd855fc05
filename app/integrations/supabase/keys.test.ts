import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { recogniseKey } from "./keys.ts";

const ref = "abcdefghijklmnopqrst";
const jwt = (claims: object) =>
  [{ alg: "HS256", typ: "JWT" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .concat("c2lnbmF0dXJl")
    .join(".");

describe("project keys", () => {
  it("knows both generations of both roles", () => {
    expect(recogniseKey(jwt({ iss: "supabase", ref, role: "anon" }))).toMatchObject({
      generation: "legacy",
      role: "public",
      ref,
    });
    expect(recogniseKey(jwt({ ref, role: "service_role" }))).toMatchObject({
      generation: "legacy",
      role: "secret",
      ref,
    });
    expect(recogniseKey("sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH")).toMatchObject({
      generation: "publishable",
      role: "public",
      ref: null,
    });
    const secret = recogniseKey("\n sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz \n");
    expect(secret).toMatchObject({ generation: "secret", role: "secret", ref: null });
    expect(secret?.text).toBe("sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz");
  });

  it.each([
    ["nothing", ""],
    ["a word", "anon"],
    ["an access token of the Management API", "sbp_0123456789abcdef0123456789abcdef01234567"],
    ["a user's token", jwt({ ref, role: "authenticated" })],
    ["a token without role", jwt({ ref })],
    ["a reference that is none", jwt({ ref: "../../etc", role: "anon" })],
    ["claims that are no JSON", "a.b.c"],
    ["null for claims", `a.${Buffer.from("null").toString("base64url")}.c`],
    ["a header injected", "sb_secret_N7UND0UgjKTVK-Uodkm0Hg\r\nx: y"],
    ["two keys", "sb_secret_N7UND0UgjKTVK sb_secret_N7UND0UgjKTVK"],
    ["a short one", "sb_secret_"],
    ["megabytes", `sb_secret_${"x".repeat(1_000_000)}`],
  ])("does not take %s", (_what, text) => {
    expect(recogniseKey(text)).toBeNull();
  });

  it("never throws, and gives back only what may stand in a header", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        for (const pasted of [text, `sb_secret_${text}`, `a.${text}.c`]) {
          expect(recogniseKey(pasted)?.text ?? "x").toMatch(/^[\w.-]+$/);
        }
      }),
    );
  });
});

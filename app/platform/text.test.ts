import { expect, test } from "vitest";
import { cut, storable } from "./text.ts";

test("a cut never leaves half of a character", () => {
  expect(cut("abc", 3)).toBe("abc");
  expect(cut("abcd", 3)).toBe("abc");
  expect(cut("ab😀d", 3)).toBe("ab");
  expect(cut("a😀d", 3)).toBe("a😀");
});

test("what is stored holds nothing that jsonb refuses, at any depth", () => {
  const hostile = { a: "x\0y", b: ["😀".slice(0, 1), { c: "😀" }], d: undefined, e: 1, f: null };
  expect(storable(hostile)).toEqual({ a: "x\ufffdy", b: ["\ufffd", { c: "😀" }], e: 1, f: null });
});

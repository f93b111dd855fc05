import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeRows } from "./merge-rows.ts";

const row = (requestId: string, status = "pending") => ({ requestId, status });
const list = (letters: string) => [...letters].map((letter) => row(letter));
const merge = (held: string, fresh: string) => {
  const { rows, changes } = mergeRows(list(held), list(fresh));
  const shown = rows.map(({ requestId, gone }) => (gone ? `-${requestId}` : requestId));
  return [shown.join(""), changes];
};

describe("a list that a person points at", () => {
  it("keeps every row at its place, whatever the list has become", () => {
    expect(merge("abc", "abc")).toEqual(["abc", 0]);
    expect(merge("abc", "ab")).toEqual(["ab-c", 1]);
    expect(merge("abc", "xabc")).toEqual(["abc", 1]);
    expect(merge("abc", "bca")).toEqual(["abc", 1]);
    expect(merge("abcd", "xdyba")).toEqual(["ab-cd", 5]);
    expect(merge("", "ab")).toEqual(["", 2]);
    expect(merge("ab", "")).toEqual(["-a-b", 2]);
  });

  it("shows in each row what is true now, and in a gone one what was true last", () => {
    const held = [row("a"), row("b")];
    const { rows, changes } = mergeRows(held, [row("a", "in_progress")]);
    expect(rows).toEqual([
      { ...row("a", "in_progress"), gone: false },
      { ...row("b"), gone: true },
    ]);
    expect(changes).toBe(1);
  });

  it("counts nothing exactly when both lists are the same", () => {
    const letters = fc.uniqueArray(fc.constantFrom(..."abcdefgh"), { maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (held, fresh) => {
        const { rows, changes } = mergeRows(list(held.join("")), list(fresh.join("")));
        expect(rows.map(({ requestId }) => requestId)).toEqual(held);
        expect(changes === 0).toBe(held.join() === fresh.join());
      }),
    );
  });
});

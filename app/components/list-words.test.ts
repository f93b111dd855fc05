import { expect, test } from "vitest";
import { needWords } from "./list-words.ts";

test("one needs, several need", () => {
  expect(needWords(["Analytics"])).toBe("Analytics needs");
  expect(needWords(["Analytics", "Point of sale"])).toBe("Analytics and Point of sale need");
  expect(needWords(["A", "B", "C"])).toBe("A, B and C need");
});

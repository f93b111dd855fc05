import { expect, test } from "vitest";
import { percentOf, reaches } from "./shares.ts";

test("a share is told rounded down, and exactly where it is whole", () => {
  expect(percentOf(35, 37)).toBe(94);
  expect(percentOf(199, 200)).toBe(99);
  expect(percentOf(0, 3)).toBe(0);
  for (let part = 0; part <= 100; part += 1) expect(percentOf(part, 100)).toBe(part);
});

test("a week that missed its target by a little has missed it", () => {
  expect(reaches(35, 37, 0.95)).toBe(false);
  expect(reaches(949, 1_000, 0.95)).toBe(false);
  for (let twentieths = 1; twentieths <= 500; twentieths += 1) {
    expect(reaches(19 * twentieths, 20 * twentieths, 0.95)).toBe(true);
  }
});

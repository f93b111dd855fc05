import { expect, test } from "vitest";
import { leftWords, takesLonger } from "./run-expectation.ts";

const NOW = "2026-11-20T12:00:00.000Z";
const at = (seconds: number) => Date.parse(NOW) + seconds * 1_000;

test("only the step in progress grows shorter, and never longer than it was expected to be", () => {
  const run = {
    now: NOW,
    expectedRemainingMs: 12_000,
    steps: [
      { status: "done" as const, startedAt: NOW, expectedMs: 500 },
      { status: "running" as const, startedAt: "2026-11-20T11:59:58.000Z", expectedMs: 4_000 },
      { status: "pending" as const, startedAt: null, expectedMs: 10_000 },
    ],
  };
  expect(leftWords(run, at(0))).toBe("about 12 s");
  expect(leftWords(run, at(1))).toBe("about 11 s");
  // It takes longer than usual; what follows it has not begun.
  expect(leftWords(run, at(60))).toBe("about 10 s");
  expect([takesLonger(run, at(1)), takesLonger(run, at(60))]).toEqual([false, true]);
  expect(takesLonger({ steps: [] }, at(60))).toBe(false);
  expect(leftWords({ ...run, expectedRemainingMs: null }, at(0))).toBeNull();
  expect(leftWords({ ...run, expectedRemainingMs: 0, steps: [] }, at(5))).toBe("about 1 s");
  expect(leftWords({ ...run, expectedRemainingMs: 150_000 }, at(0))).toBe("about 2 min 30 s");
});

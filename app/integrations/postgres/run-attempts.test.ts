import { expect, it } from "vitest";
import { GUARD } from "./guard.ts";
import { FailedAttempts, gaveWay } from "./run-attempts.ts";

it("what an attempt gave way to is told in words", () => {
  const told = (sqlstate: string) => gaveWay(sqlstate, "line 2", 712, null);
  expect(told("55P03")).toBe("gave way after 712 ms: line 2 waited for a lock");
  expect(gaveWay("55P03", "line 2", 712, "a row; session 7 of x was in the way")).toBe(
    "gave way after 712 ms: line 2 waited for a row; session 7 of x was in the way",
  );
  expect(told("40P01")).toBe("gave way after 712 ms: line 2 met a deadlock");
  expect(told(GUARD.stepInFlight)).toMatch(/: another session had a step in flight$/);
  expect(told("42P07")).toMatch(/: line 2 met another session's work \[42P07\]$/);
});

it("what the ledger says belongs to the last attempt that was cut off, once", () => {
  const attempts = new FailedAttempts();
  attempts.noteLoss("one");
  attempts.noteLoss("two");
  attempts.note("three");
  attempts.settle(true);
  attempts.settle(false);
  expect(attempts.take().map(({ what }) => what)).toEqual([
    "one",
    "two; the ledger had the version",
    "three",
  ]);
  attempts.noteLoss("four");
  const [four] = attempts.take();
  attempts.settle(true);
  expect(four?.what).toBe("four");
  expect(attempts.take()).toEqual([]);
});

import { describe, expect, test } from "vitest";
import type { StepEffects } from "#db/provisioning.ts";
import {
  expectedWords,
  groupFacts,
  limitWords,
  mustBeSeen,
  type PlanStep,
  planSentence,
} from "./plan-words.ts";

const effects = (statements: number, timeoutMs = 300_000): StepEffects => ({
  statements,
  transactional: true,
  timeoutMs,
  locks: [],
  rewrites: [],
});
const file = (name: string, planned: PlanStep["planned"], statements: number): PlanStep => ({
  name,
  file: `base/${name}.sql`,
  planned,
  effects: effects(statements),
});
const basis = (isFresh: boolean) => ({
  digest: "d",
  surveyedAt: "",
  serverVersion: "17.6 (Debian 17.6-1)",
  isFresh,
  applied: {},
});
const preflight = { name: "Preflight" };

describe("the sentence of a plan", () => {
  test("on a fresh database", () => {
    const steps = [preflight, file("a", "apply", 280), file("b", "apply", 10)];
    expect(planSentence({ steps, strangers: [], basis: basis(true) })).toBe(
      "3 steps, 2 files, 290 statements on a fresh PostgreSQL 17.6; nothing is applied yet.",
    );
  });

  test("counts only what is still to apply where some of it is there", () => {
    const steps = [preflight, file("a", "applied", 280), file("b", "apply", 1)];
    expect(planSentence({ steps, strangers: [], basis: basis(false) })).toBe(
      "3 steps, 2 files, 1 statement still to apply on PostgreSQL 17.6; 1 of 2 files is applied already.",
    );
  });

  test("says that a file which differs stops the run unless that is accepted", () => {
    const steps = [file("a", "differs", 5)];
    expect(planSentence({ steps, strangers: [], basis: basis(false) })).toMatch(
      /1 file differs from what was applied: the run stops there unless a supervisor has accepted the difference\.$/,
    );
  });
});

test("how long a step takes is said only where earlier runs taught it, limits only where unusual", () => {
  expect(expectedWords(null)).toBe("");
  expect(expectedWords(430)).toBe("usually 430 ms");
  expect(limitWords(effects(1))).toBe("");
  expect(limitWords(effects(1, 1_800_000))).toBe("at most 30 min per statement");
});

describe("what a group of files comes to", () => {
  const lock = { relation: "app.notes", mode: "ACCESS EXCLUSIVE", line: 3 };
  const locking = { ...file("b", "apply", 3), effects: { ...effects(3, 900_000), locks: [lock] } };

  test("says limits and times once, where all files share them", () => {
    const long = { ...file("a", "apply", 2), effects: effects(2, 900_000), expectedMs: 200 };
    expect(groupFacts([long, { ...long, expectedMs: 100 }])).toEqual([
      "4 statements",
      "no locks on what exists",
      "usually 300 ms",
      "at most 15 min per statement",
    ]);
    expect(groupFacts([long, file("b", "apply", 1)])).toEqual([
      "3 statements",
      "no locks on what exists",
    ]);
  });

  test("names what a person must see before it starts, and only that", () => {
    expect(groupFacts([file("a", "applied", 2), locking])).toEqual([
      "3 statements",
      "1 of 2 applied already",
      "1 file locks what exists",
    ]);
    expect(mustBeSeen(locking)).toBe(true);
    expect(mustBeSeen({ ...locking, planned: "applied" })).toBe(false);
    expect(mustBeSeen(file("a", "differs", 1))).toBe(true);
    expect(mustBeSeen(file("a", "apply", 1))).toBe(false);
    expect(mustBeSeen(preflight)).toBe(false);
  });
});

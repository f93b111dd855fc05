import { expect, test } from "vitest";
import { runLog } from "./run-log.ts";
import type { RunReport, StepReport } from "./run-report.ts";

const step: StepReport = {
  position: 0,
  name: "Base: company and people",
  kind: "sql",
  status: "done",
  file: "base/migrations/20260901000100_company_and_people.sql",
  about: null,
  attempts: 1,
  startedAt: "2026-11-21T10:00:00.000Z",
  endedAt: "2026-11-21T10:00:00.120Z",
  durationMs: 120,
  expectedMs: 90,
  planned: "apply",
  effects: {
    statements: 7,
    transactional: true,
    timeoutMs: 300_000,
    locks: [{ relation: "public.products", mode: "ACCESS EXCLUSIVE", line: 4 }],
    rewrites: [{ relation: "public.products", line: 5, why: "a column changes its type" }],
    unseen: [{ line: 6, what: "a DO block" }],
  },
  outcome: { outcome: "applied", statements: 7, notices: ["one", "two"] },
  error: null,
  excerpt: null,
};

const run: RunReport = {
  runId: "019a0000-0000-7000-8000-000000000001",
  requestId: "019a0000-0000-7000-8000-000000000002",
  number: 1,
  status: "failed",
  templates: { base: "1.0.0" },
  doneBefore: 0,
  cancelRequested: null,
  canCancel: false,
  expectedRemainingMs: null,
  basis: {
    surveyedAt: "2026-11-21T09:59:00.000Z",
    serverVersion: "17.6",
    isFresh: false,
    applied: 3,
  },
  takeovers: 1,
  inHand: false,
  createdAt: "2026-11-21T10:00:00.000Z",
  startedAt: "2026-11-21T10:00:00.000Z",
  endedAt: "2026-11-21T10:00:01.000Z",
  error: null,
  now: "2026-11-21T10:00:01.000Z",
  steps: [step],
};

test("a run's log tells of every step and of its failure", () => {
  const failed: StepReport = {
    ...step,
    position: 1,
    name: "Base: policies",
    status: "failed",
    attempts: 2,
    outcome: { failedAttempts: ["T Attempt 1 gave way", "T Attempt 2 gave way"] },
    error: { code: "sql_step_failed", message: "it clashed", sqlstate: "42P07", line: 3 },
  };
  const log = runLog({ ...run, steps: [step, failed] });
  for (const part of [
    run.runId,
    "Templates: base 1.0.0",
    "Take-overs by another worker: 1",
    "Planned: from the database as of 2026-11-21T09:59:00.000Z, PostgreSQL 17.6, 3 versions in its ledger",
    "1. Base: company and people: done, 120 ms, expected 90 ms",
    "planned: to apply",
    "plan: 7 statements in one transaction, each within 300000 ms",
    "lock: ACCESS EXCLUSIVE on public.products (line 4)",
    "rewrite: public.products, a column changes its type (line 5)",
    "unknown: a DO block; its locks cannot be known from the text (line 6)",
    "statements: 7",
    "notices: one | two",
    "2. Base: policies: failed, 120 ms, expected 90 ms, begun 2 times",
    "\n  failed attempt: T Attempt 1 gave way\n  failed attempt: T Attempt 2 gave way\n",
    "sqlstate: 42P07",
    "line: 3",
  ]) {
    expect(log).toContain(part);
  }
});

test("a run's log tells who cancelled it, and each difference of a drifted database", () => {
  const log = runLog({
    ...run,
    status: "cancelled",
    cancelRequested: { at: "2026-11-21T10:00:00.500Z", by: "Kim" },
    error: { code: "run_cancelled", message: "Kim cancelled this run: 1 of its 2 steps are done." },
    steps: [
      { ...step, error: { code: "drift", message: "no", difference: ["table a", "view b"] } },
    ],
  });
  for (const part of [
    "End asked for: 2026-11-21T10:00:00.500Z, by Kim",
    "The run was cancelled.",
    "code: run_cancelled",
    "difference: table a",
    "difference: view b",
  ]) {
    expect(log).toContain(part);
  }
});

test("a run's log tells once what could not be compared, what that means and what to do", () => {
  const told = (facts: Record<string, unknown>) =>
    runLog({ ...run, steps: [{ ...step, outcome: { checks: 9, ...facts } }] });
  const whole = told({ drift: "not_compared", driftUncompared: "no room", driftPartial: false });
  expect(whole.slice(whole.indexOf("  checks"))).toBe(
    `  checks: 9
  drift guard: the catalog was not compared: no room
  it means: nobody knows whether the database was changed by hand; only its versions and their checksums were compared
  what to do: nothing for this run, which goes on; to be sure, ask the customer what was changed by hand
`,
  );
  const accepted = { drift: "accepted", driftAcceptedBy: "sam" };
  const partial = told({ ...accepted, driftUncompared: "version 1: a role", driftPartial: true });
  expect(partial.slice(partial.indexOf("  checks"))).toBe(
    `  checks: 9
  drift: accepted
  driftAcceptedBy: sam
  drift guard: the catalog was compared without version 1: a role
  it means: nobody knows whether what these versions made was changed by hand; all else was compared
  what to do: nothing for this run, which a supervisor let pass; to be sure, ask the customer what was changed by hand
`,
  );
  // As earlier versions of Berth wrote it down.
  expect(told({ drift: "not compared: no room" })).toContain("  drift: not compared: no room\n");
  const line = "the catalog was not compared: no room";
  expect(told({ ...accepted, driftUncompared: line })).toContain(`  driftUncompared: ${line}\n`);
});

test("a run's log holds no secret, and nothing that a terminal obeys", () => {
  const nasty =
    "postgresql://postgres.abc:pass-canary@h:5432/postgres sb_secret_canary0123456789 \u001b[31m\r\nforged: line\u009b1m";
  const log = runLog({
    ...run,
    error: { code: "x", message: nasty },
    steps: [
      {
        ...step,
        outcome: { notices: [nasty], failedAttempts: [nasty] },
        error: { code: "y", message: nasty },
      },
    ],
  });
  expect(log).not.toContain("canary");
  expect(log.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect(log).not.toMatch(/^forged/m);
});

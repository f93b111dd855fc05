import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import { DriftUncompared } from "./drift-uncompared.tsx";
import { headlineOf, outcomeWords, runSentence, uncompared, withAcceptance } from "./run-words.ts";

const STEP: StepReport = {
  position: 0,
  name: "Base",
  kind: "sql",
  status: "running",
  file: "base/1.sql",
  about: null,
  attempts: 1,
  startedAt: null,
  endedAt: null,
  durationMs: null,
  expectedMs: null,
  planned: null,
  effects: null,
  outcome: null,
  error: null,
  excerpt: null,
};
const RUN: RunReport = {
  runId: "r",
  requestId: "q",
  number: 2,
  status: "running",
  templates: {},
  takeovers: 0,
  inHand: true,
  createdAt: "2026-11-20T12:00:00.000Z",
  startedAt: null,
  endedAt: null,
  cancelRequested: null,
  canCancel: true,
  expectedRemainingMs: null,
  basis: null,
  error: null,
  steps: [STEP, { ...STEP, position: 1, name: "Shop", status: "pending" }],
  doneBefore: 0,
  now: "2026-11-20T12:00:00.000Z",
};

it("leaves to a failure's headline what the server said", () => {
  const message = 'base/1.sql:7 (statement 1): schema "private" already exists [42P06]';
  const words = 'schema "private" already exists';
  const error = { code: "sql_step_failed", file: "base/1.sql", sqlstate: "42P06" };
  expect(headlineOf({ ...error, message })).toBe(words);
  expect(headlineOf({ code: "x", message })).toBe(message);
});

it("counts what is in the project already, whichever run put it there", () => {
  expect(runSentence(RUN, true)).toMatch(/^0 of 2 steps done\. Now: Base\. Next: Shop\.$/);
  expect(runSentence({ ...RUN, doneBefore: 1 }, true)).toMatch(
    /^1 of 2 steps is in the project already\./,
  );
});

it("promises to roll back only what can be", () => {
  const cancelRequested = { at: RUN.now, by: "Kim" };
  const saying = (step: Partial<StepReport>) =>
    runSentence({ ...RUN, cancelRequested, steps: [{ ...STEP, ...step }] }, true);
  expect(saying({})).toContain("Kim asked to cancel it. “Base” is rolled back.");
  expect(saying({ kind: "auth-config" })).toContain("finds out whether “Base” took effect");
  expect(saying({ status: "pending" })).toMatch(/Kim asked to cancel it\.$/);
});

it("advises to retry once the difference is accepted, and that one alone", () => {
  const error = { code: "drift", message: "m", fix: "Let a supervisor accept it.", digest: "a" };
  const run = { steps: [{ error }, { error: null }] };
  expect(withAcceptance(run, "a").steps[0]?.error?.fix).toBe("Retry: the difference is accepted.");
  expect(withAcceptance(run, "b").steps).toEqual(run.steps);
});

it("tells what could not be compared, what that means and what to do, accepted or not", () => {
  const whole = { drift: "not_compared", driftUncompared: "no room", driftPartial: false };
  expect(uncompared({ outcome: whole })).toEqual({
    found: "the catalog was not compared: no room",
    means: expect.stringContaining("Only its versions and their checksums were compared."),
    toDo: expect.stringMatching(/^Nothing for this run: it goes on\. To be sure, ask the customer/),
  });
  const partial = { driftUncompared: "version 1: a role", driftPartial: true };
  const accepted = { outcome: { checks: 9, drift: "accepted", ...partial } };
  const left = uncompared(accepted);
  expect(left).toEqual({
    found: "the catalog was compared without version 1: a role",
    means: expect.stringContaining("All else was compared."),
    toDo: expect.stringMatching(/^Nothing for this run: a supervisor accepted it/),
  });
  expect(outcomeWords(accepted)).toBe(
    "9 checks hold, difference accepted, catalog not compared in full",
  );
  for (const drift of ["fresh", "none", "accepted"]) {
    expect(uncompared({ outcome: { drift } })).toBeNull();
  }
  expect(uncompared({ outcome: null })).toBeNull();
  const shown = left && renderToStaticMarkup(createElement(DriftUncompared, left));
  for (const text of ["Found", "without version 1", "It means", "All else", "What to do"]) {
    expect(shown).toContain(text);
  }
});

it("tells what the steps beside the files did", () => {
  const words = (outcome: Record<string, unknown>) => outcomeWords({ outcome });
  const settings = ["sign-up closed", "e-mail sign-in on"];
  expect(words({ outcome: "configured", settings })).toBe("Sign-up closed, e-mail sign-in on");
  expect(words({ outcome: "configured" })).toBe("Sign-up closed, e-mail on");
  expect(words({ outcome: "updated" })).toBe("Changed to what the template says");
  expect(words({ outcome: "nothing_asked" })).toBe("Nothing asked for");
});

it("tells what earlier versions of Berth wrote down of it", () => {
  const found = "the catalog was not compared: no room";
  const left = { found, means: undefined, toDo: expect.stringContaining("it goes on.") };
  const earlier = { outcome: { drift: "not compared: no room" } };
  expect(uncompared(earlier)).toEqual(left);
  expect(outcomeWords(earlier)).toBe("catalog not compared in full");
  const accepted = { drift: "accepted", driftUncompared: found };
  expect(uncompared({ outcome: accepted })).toMatchObject({ found, means: undefined });
});

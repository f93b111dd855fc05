import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { RunReport, StepReport } from "#app/domain/provisioning/index.server.ts";
import { RunSteps } from "./run-steps.tsx";

const STEP: StepReport = {
  position: 0,
  name: "Base",
  kind: "sql",
  status: "done",
  file: "base/1.sql",
  attempts: 1,
  startedAt: "2026-11-20T12:00:00.000Z",
  endedAt: "2026-11-20T12:00:01.000Z",
  durationMs: 1_000,
  expectedMs: null,
  planned: null,
  effects: null,
  outcome: { outcome: "applied", statements: 1 },
  error: null,
  excerpt: null,
};
const RUN: RunReport = {
  runId: "r",
  requestId: "q",
  number: 1,
  status: "succeeded",
  templates: {},
  takeovers: 0,
  inHand: false,
  createdAt: "2026-11-20T12:00:00.000Z",
  startedAt: "2026-11-20T12:00:00.000Z",
  endedAt: "2026-11-20T12:00:01.000Z",
  cancelRequested: null,
  canCancel: false,
  expectedRemainingMs: null,
  basis: null,
  error: null,
  steps: [STEP],
  doneBefore: 0,
  now: "2026-11-20T12:00:01.000Z",
};

const shown = (outcome: StepReport["outcome"]) =>
  renderToStaticMarkup(
    <RunSteps run={{ ...RUN, steps: [{ ...STEP, outcome }] }} acts={() => null} known={[]} />,
  );

it("opens a step of which attempts failed, and lists them", () => {
  expect(shown(STEP.outcome)).not.toContain("<details");
  const page = shown({ ...STEP.outcome, failedAttempts: ["Attempt 1 gave way", "Attempt 2 too"] });
  expect(page).toContain("<details");
  expect(page).toMatch(/Failed attempts.*Attempt 1 gave way.*Attempt 2 too/);
  expect(page).not.toContain("Notices");
});

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
  about: null,
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

const pageOf = (steps: StepReport[], status: RunReport["status"] = "running") =>
  renderToStaticMarkup(<RunSteps run={{ ...RUN, status, steps }} acts={() => null} known={[]} />);
const files = (statuses: StepReport["status"][]): StepReport[] =>
  statuses.map((status, position) => ({
    ...STEP,
    position,
    status,
    name: `Base: ${position}`,
    file: `base/migrations/2026090100010${position}_file_${position}.sql`,
    outcome: status === "done" ? { outcome: "applied", statements: 2 } : null,
  }));

it("shows the files of a feature as one row, open only where a person must look", () => {
  const done = pageOf(files(["done", "done"]), "succeeded");
  expect(done).toMatch(/data-group="done".*Base.* · 2 files.*4 statements applied/);
  expect(done).not.toContain("<details open");
  expect(pageOf(files(["pending", "pending"]))).not.toContain("<details open");
  for (const status of ["running", "failed", "needs_person"] as const) {
    const page = pageOf(files(["done", status]));
    expect(page).toContain(`data-group="${status}"`);
    expect(page).toContain("<details open");
    expect(page).toContain("1 of 2 done");
  }
  // Between two of its files it is still at work; not once its run has ended.
  expect(pageOf(files(["done", "pending"]))).toContain('data-group="running"');
  expect(pageOf(files(["done", "pending"]), "cancelled")).toContain('data-group="pending"');
});

it("opens a step of which attempts failed, and lists them", () => {
  expect(shown(STEP.outcome)).not.toContain("<details");
  const page = shown({ ...STEP.outcome, failedAttempts: ["Attempt 1 gave way", "Attempt 2 too"] });
  expect(page).toContain("<details");
  expect(page).toMatch(/Failed attempts.*Attempt 1 gave way.*Attempt 2 too/);
  expect(page).not.toContain("Notices");
});

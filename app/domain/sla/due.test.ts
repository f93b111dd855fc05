import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClockSegment, dueAt, estimateCompletion } from "./due.ts";

const at = (hours: number) => new Date(hours * 3_600_000);
const segment = (kind: ClockSegment["kind"], from: number, to: number | null): ClockSegment => ({
  kind,
  startedAt: at(from),
  endedAt: to === null ? null : at(to),
});

describe("dueAt", () => {
  it("moves by exactly as long as the clock was paused", () => {
    expect(dueAt([segment("running", 0, null)], 24)).toEqual(at(24));
    const paused = [
      segment("running", 0, 5),
      segment("paused", 5, 15),
      segment("running", 15, null),
    ];
    expect(dueAt(paused, 24)).toEqual(at(34));
  });

  it("is absent while the clock does not run", () => {
    expect(dueAt([segment("running", 0, 5), segment("paused", 5, null)], 24)).toBeNull();
    expect(dueAt([segment("running", 0, 5), segment("stopped", 5, null)], 24)).toBeNull();
    expect(dueAt([], 24)).toBeNull();
  });

  it("can lie in the past, and never depends on how a stretch is cut up", () => {
    expect(dueAt([segment("running", 0, 30), segment("running", 30, null)], 24)).toEqual(at(24));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 8 }), (cuts) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b)];
        const cut = bounds.map((from, i) => segment("running", from, bounds[i + 1] ?? null));
        expect(dueAt(cut, 48)).toEqual(at(48));
      }),
    );
  });
});

describe("estimateCompletion", () => {
  const base = { now: at(1), createdAt: at(0), due: at(24) };
  it("is the promise while nothing is known, then the middle of the recent ones", () => {
    expect(estimateCompletion({ ...base, recentDurationsMs: [] })).toEqual(at(24));
    expect(
      estimateCompletion({ ...base, recentDurationsMs: [2, 9, 4].map((h) => h * 3_600_000) }),
    ).toEqual(at(4));
  });
  it("is neither past nor beyond the promise", () => {
    expect(estimateCompletion({ ...base, now: at(8), recentDurationsMs: [3_600_000] })).toEqual(
      at(8),
    );
    expect(estimateCompletion({ ...base, recentDurationsMs: [99 * 3_600_000] })).toEqual(at(24));
  });
});

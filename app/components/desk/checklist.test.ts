import { describe, expect, it } from "vitest";
import { checklistOf } from "./checklist.ts";

type Facts = Parameters<typeof checklistOf>[0];
const next = (facts: Partial<Facts>) => {
  const steps = checklistOf({
    status: "in_progress",
    standing: "mine",
    isOffered: false,
    ...facts,
  });
  const open = steps.filter(({ state }) => state === "next" || state === "blocked");
  expect(open.length).toBeLessThanOrEqual(1);
  return open[0] ? `${open[0].name} ${open[0].state}` : null;
};

describe("the checklist", () => {
  it("has one next act in every state that waits for a person", () => {
    expect(next({ status: "pending", standing: "unclaimed" })).toBe("claim next");
    expect(next({})).toBe("create next");
    expect(next({ standing: "held" })).toBe("create blocked");
    expect(next({ standing: "supervising" })).toBe("create next");
    expect(next({ standing: "expired" })).toBe("claim next");
    expect(next({ status: "waiting_on_customer" })).toBe("test next");
    expect(next({ status: "migrating", standing: "machine" })).toBe("watch next");
    expect(next({ status: "failed" })).toBe("watch next");
    expect(next({ status: "completed", standing: "ended" })).toBeNull();
    expect(next({ status: "cancelled", standing: "ended" })).toBeNull();
  });

  it("says of a closed request how far it had come", () => {
    const statesOf = (...happened: string[]) =>
      checklistOf({ status: "cancelled", standing: "ended", isOffered: false, happened }).map(
        ({ state }) => state === "done",
      );
    expect(statesOf("received", "cancelled").lastIndexOf(true)).toBe(-1);
    expect(statesOf("claimed", "cancelled").lastIndexOf(true)).toBe(0);
    expect(statesOf("claimed", "credentials_submitted", "cancelled").lastIndexOf(true)).toBe(4);
  });

  it("says what is to be done about a run that ended without its end", () => {
    const titleOf = (isRunCancelled: boolean) =>
      checklistOf({ status: "failed", standing: "mine", isOffered: false, isRunCancelled })[5]
        ?.title;
    expect(titleOf(false)).toBe("Mend the run");
    expect(titleOf(true)).toBe("Resume the run, or close the request");
  });

  it("skips making a project where the customer gave one", () => {
    const steps = checklistOf({ status: "in_progress", standing: "mine", isOffered: true });
    expect(steps.map(({ state }) => state)).toEqual([
      "done",
      "skipped",
      "skipped",
      "next",
      "later",
      "later",
      "later",
    ]);
    expect(steps[3]?.title).toBe("Test and take up the customer’s project");
  });
});

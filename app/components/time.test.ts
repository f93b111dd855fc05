import { describe, expect, it } from "vitest";
import { formatDistance, formatDuration, formatExact, formatRelative } from "./time.tsx";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe("a length of time", () => {
  it.each([
    [-5, "0 ms"],
    [850, "850 ms"],
    [999.6, "999 ms"],
    [1_290, "1.2 s"],
    [9_999, "9.9 s"],
    [45_900, "45 s"],
    [2 * MINUTE + 5 * SECOND, "2 min 5 s"],
    [HOUR - 1, "59 min 59 s"],
    [3 * HOUR, "3 h"],
    [3 * HOUR + 20 * MINUTE + 59 * SECOND, "3 h 20 min"],
    [47 * HOUR, "47 h"],
    [52 * HOUR, "2 d 4 h"],
  ])("of %i ms is %s", (ms, words) => expect(formatDuration(ms)).toBe(words));

  it.each([
    [59 * SECOND, "less than a minute"],
    [-(2 * MINUTE + 5 * SECOND), "2 min"],
    [HOUR + 59 * SECOND, "1 h"],
  ])("seen from afar, of %i ms, is %s", (ms, words) => expect(formatDistance(ms)).toBe(words));
});

describe("a moment", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  it.each([
    [-5 * MINUTE, "5 min ago"],
    [-59 * SECOND, "just now"],
    // The page heard of it before its own clock ticked on.
    [30 * SECOND, "just now"],
    [3 * HOUR, "in 3 h"],
  ])("%i ms from now is %s", (ms, words) =>
    expect(formatRelative(new Date(now + ms), now)).toBe(words),
  );

  it("that is still to come within the minute is said to be", () => {
    const soon = new Date(now + 30 * SECOND);
    expect(formatRelative(soon, now, true)).toBe("in less than a minute");
    expect(formatRelative(new Date(now - SECOND), now, true)).toBe("just now");
  });
});

describe("an exact time", () => {
  it("names its zone, and follows its summer", () => {
    expect(formatExact("2026-11-21T00:05:00Z")).toBe("21 Nov 2026, 00:05 UTC");
    expect(formatExact("2026-07-01T22:30:00Z", "Europe/Berlin")).toBe(
      "2 Jul 2026, 00:30 Europe/Berlin",
    );
    expect(formatExact(new Date("2026-12-31T23:59:00Z"), "Asia/Kolkata")).toBe(
      "1 Jan 2027, 05:29 Asia/Kolkata",
    );
  });
});

import { expect, it } from "vitest";
import { wordsOf } from "./tracking-words.ts";

const facts = {
  status: "pending" as const,
  place: { position: 4, waiting: 9 },
  isPaused: false,
  progress: null,
  expected: "by Thursday",
  isLate: false,
};

it("says a place only where it is known", () => {
  expect(wordsOf(facts).title).toBe("You are 5th in line.");
  expect(wordsOf({ ...facts, place: { position: 0, waiting: 9 } }).title).toBe(
    "You are next in line.",
  );
  expect(wordsOf({ ...facts, place: { position: null, waiting: 0 } }).title).toBe(
    "You are in line.",
  );
});

it("does not frighten where one of us paused the run", () => {
  const failed = { ...facts, status: "failed" as const };
  expect(wordsOf(failed).title).toBe("Building has stopped, and we are on it.");
  expect(wordsOf({ ...failed, isPaused: true }).title).toBe("We have paused building.");
});

it("says when a backend is expected only where that is known", () => {
  expect(wordsOf(facts).text).toBe("We expect your backend by Thursday.");
  expect(wordsOf({ ...facts, status: "failed" }).text).toBe(
    "You need not do anything. We still expect it by Thursday.",
  );
  for (const status of [
    "pending",
    "in_progress",
    "credentials_received",
    "migrating",
    "failed",
  ] as const) {
    const { text } = wordsOf({ ...facts, status, expected: null });
    expect(text, status).toContain("We send you a mail when it is ready.");
    expect(text, status).not.toContain("null");
  }
});

/** From what the demo tells to what happened when: pure, and the same for the same day. */
import { PLANS, targetsOf } from "#app/domain/catalog/plans.ts";
import type { Story } from "./stories.ts";

export type StaffSeat = "admin" | "supervisor" | "operator";

/** One thing that happens to a request. */
export type Act =
  | { name: "submit" | "start" | "finish" | "withdraw" }
  | {
      name: "claim" | "release" | "ask" | "resume" | "credentials" | "retry" | "note" | "cancel";
      by: StaffSeat;
    }
  | { name: "fail"; of: "connection" | "password" | "table" };

export interface Scene {
  at: Date;
  story: Story;
  act: Act;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Small numbers that look like chance and are the same every time (mulberry32). */
export function chance(seed: number): (from: number, to: number) => number {
  let state = seed >>> 0;
  return (from, to) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return from + (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (to - from);
  };
}

/** Everything that happened in these stories up to `now`, in the order of time. */
export function plotOf(stories: readonly Story[], now: Date): Scene[] {
  const scenes = stories.flatMap((story, index) =>
    actsOf(story, chance(index + 1), now).map(([at, act]) => ({ at: new Date(at), story, act })),
  );
  return scenes.sort((a, b) => a.at.getTime() - b.at.getTime());
}

/** The acts of one story, each with its time in milliseconds of the epoch. */
function actsOf(story: Story, between: ReturnType<typeof chance>, now: Date): [number, Act][] {
  const plan = PLANS.find(({ id }) => id === story.plan);
  const target = plan && targetsOf(plan).find(({ priority }) => priority === story.priority);
  if (!target) throw new Error(`No promise for ${story.plan} and ${story.priority}.`);
  const promise = target.hours * HOUR;
  const by: StaffSeat =
    between(0, 1) < 0.6 ? "admin" : between(0, 1) < 0.5 ? "operator" : "supervisor";
  const other: StaffSeat = by === "admin" ? "operator" : "admin";
  const seconds = (from: number, to: number) => between(from, to) * SECOND;

  const today = Math.floor(now.getTime() / DAY) * DAY;
  const received =
    "hours" in story.ago
      ? now.getTime() - story.ago.hours * HOUR
      : today - story.ago.days * DAY + between(6.5, 17.5) * HOUR;
  const took = promise * (story.ending === "late" ? between(1.08, 1.4) : between(0.3, 0.82));
  // A claim lasts four hours: who prepares a project is done well before.
  const preparing = Math.min(took * 0.3, between(25, 190) * MINUTE);
  const acts: [number, Act][] = [[received, { name: "submit" }]];
  let time = received;
  const then = (wait: number, act: Act) => {
    time += wait;
    acts.push([time, act]);
  };
  const run = (ends: Act) => {
    then(seconds(2, 9), { name: "start" });
    then(seconds(14, 55), ends);
  };
  const build = () => {
    then(preparing, { name: "credentials", by });
    run({ name: "finish" });
  };

  switch (story.ending) {
    case "done":
    case "late":
      then(took - preparing, { name: "claim", by });
      build();
      break;
    case "returned":
      then(took * 0.3, { name: "claim", by: other });
      then(80 * MINUTE, { name: "release", by: other });
      then(took * 0.3, { name: "claim", by });
      build();
      break;
    case "asked":
      then(took * 0.4, { name: "claim", by });
      then(35 * MINUTE, { name: "ask", by });
      then(between(16, 26) * HOUR, { name: "resume", by });
      build();
      break;
    case "retried":
    case "replaced": {
      then(took * 0.4, { name: "claim", by });
      then(preparing, { name: "credentials", by });
      const again = story.ending === "retried" ? "retry" : "credentials";
      run({ name: "fail", of: again === "retry" ? "connection" : "password" });
      then(between(70, 160) * MINUTE, { name: again, by });
      run({ name: "finish" });
      break;
    }
    case "withdrawn":
      then(took * 0.2, { name: "withdraw" });
      break;
    case "cancelled":
      then(took * 0.4, { name: "claim", by });
      then(50 * MINUTE, { name: "cancel", by });
      break;
    case "waiting":
      break;
    case "claimed":
      then(19 * HOUR, { name: "claim", by: "admin" });
      break;
    case "asking":
      then(5 * HOUR, { name: "claim", by: "admin" });
      then(30 * MINUTE, { name: "ask", by: "admin" });
      break;
    case "broken":
      then(promise * 0.78, { name: "claim", by: "admin" });
      then(75 * MINUTE, { name: "credentials", by: "admin" });
      run({ name: "fail", of: "table" });
      then(5 * MINUTE, { name: "note", by: "admin" });
      break;
  }
  return acts;
}

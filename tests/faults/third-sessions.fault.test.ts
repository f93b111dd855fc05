import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CustomerServer, startCustomerServer } from "../support/customer-database.ts";
import { report, reportFigure } from "../support/fault-report.ts";
import {
  LOCK_SCENES,
  measurePatience,
  measureWaits,
  type Waits,
} from "../support/third-sessions.ts";

const TRIES = 50;
const LANES = 4;
/** Steps whose whole patience is waited for, side by side. */
const PATIENT = 4;
const LONGEST_MS = 1_000;

let server: CustomerServer;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());

function print(name: string, { tries, queries, queued, longestMs, longestWithoutMs }: Waits): void {
  report(
    `${name}: ${tries} tries, ${queries} queries of third sessions, ${queued} of them queued; ` +
      `without a step the longest took ${longestWithoutMs.toFixed(0)} ms`,
    true,
  );
  reportFigure("  longest wait of a third session", longestMs, LONGEST_MS, tries);
}

describe("third sessions while a step waits for its lock", () => {
  test.each(LOCK_SCENES)("$name", async (scene) => {
    const waits = await measureWaits(server, scene, { tries: TRIES, lanes: LANES });
    print(scene.name, waits);
    expect(waits.wrong).toEqual([]);
    if (scene.queues) expect(waits.queued).toBeGreaterThan(0);
  });

  test("a step that waits in vain for its whole patience", async () => {
    const [scene] = LOCK_SCENES;
    if (!scene) throw new Error("There is no scene.");
    const all = await Promise.all(
      Array.from({ length: PATIENT }, () => measurePatience(server, scene)),
    );
    const sum = (of: (waits: Waits) => number) => all.map(of).reduce((a, b) => a + b, 0);
    const wrong = all.flatMap((waits) => waits.wrong);
    print("the whole patience", {
      tries: all.length,
      queries: sum(({ queries }) => queries),
      queued: sum(({ queued }) => queued),
      longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
      longestWithoutMs: 0,
      wrong,
    });
    expect(wrong).toEqual([]);
    expect(sum(({ queued }) => queued)).toBeGreaterThan(0);
  });
});

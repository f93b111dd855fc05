import { afterAll, beforeAll, expect, test } from "vitest";
import { type CustomerServer, startCustomerServer } from "../support/customer-database.ts";
import { LOCK_SCENES, measureWaits } from "../support/third-sessions.ts";

let server: CustomerServer;

beforeAll(async () => {
  server = await startCustomerServer();
});
afterAll(() => server?.stop());

// How long they wait is measured by `npm run faults`.
test.concurrent.each(LOCK_SCENES)(
  "a step gives way, and is applied in the end: $name",
  async (scene) => {
    const waits = await measureWaits(server, scene, { tries: 2, lanes: 2 });
    expect(waits.wrong).toEqual([]);
    expect(waits.tries).toBe(2);
    if (scene.queues) expect(waits.queued).toBeGreaterThan(0);
  },
);

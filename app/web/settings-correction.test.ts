/** Whether a request's page leads to the correction of its settings. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Desk, openDesk } from "../../tests/support/desk.ts";
import { claimRequest } from "../domain/queue/index.server.ts";
import { canCorrect } from "./settings-correction.server.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

it("does so for whoever may act, while something is open", async () => {
  const { id: requestId } = await desk.request({ features: [] });
  await desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, requestId));
  const leads = (standing: Parameters<typeof canCorrect>[1]["standing"]) =>
    desk.as(desk.kim, (tx) => canCorrect({ tx, catalog: desk.catalog }, { requestId, standing }));
  expect([await leads("mine"), await leads("supervising")]).toEqual([true, true]);
  for (const standing of ["unclaimed", "expired", "held", "machine", "ended"] as const) {
    expect(await leads(standing), standing).toBe(false);
  }
  await desk.base.admin.query(
    `with backend as (
       insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       select gen_random_uuid(), customer_id, id, 'closed', 'https://x', 'building'
       from provisioning_queue where id = $1 returning id
     ), run as (
       insert into provisioning_runs (id, request_id, backend_id, status, templates)
       select gen_random_uuid(), $1, id, 'failed', '{}' from backend returning id
     )
     insert into provisioning_steps (id, run_id, position, name, kind, status, template, attempts, checksum)
     select gen_random_uuid(), id, 0, 'Seed', 'seed', 'done', 'base', 1, $2 from run`,
    [requestId, desk.catalog.get("base").seed?.checksum],
  );
  expect(await leads("mine")).toBe(false);
});

/** Who may rehearse at once, and that every rehearsal is written down, however it ends. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { rehearseRequest } from "./rehearsal.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

/** A world whose names are asked for, and have no address as soon as `release` is called. */
function deafWorld() {
  const { promise, resolve: release } = Promise.withResolvers<void>();
  const asked: string[] = [];
  const guard = createOutboundGuard({
    allowSuffixes: ["supabase.co"],
    allowOrigins: "",
    resolve: async (host) => {
      asked.push(host);
      await promise;
      return [];
    },
  });
  return { guard, asked, release };
}

const REF = "abcdefghijklmnopqrst";
const CREDENTIALS = {
  url: `https://${REF}.supabase.co`,
  anonKey: "sb_publishable_abcdefghijklmnopqrstuv",
  serviceRoleKey: "sb_secret_abcdefghijklmnopqrstuv",
  databaseUrl: `postgresql://postgres:x@db.${REF}.supabase.co:5432/postgres`,
};

/** A request that Kim holds, with a project that a run has been made for. */
async function heldRequest() {
  const { id, customerId } = await desk.request();
  await desk.plant(id, {
    status: "in_progress",
    assignee_id: "kim",
    lease_expires_at: new Date(Date.now() + 600_000),
  });
  await desk.base.admin.query(
    `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
     values (gen_random_uuid(), $1, $2, $3, 'https://x', 'building')`,
    [customerId, id, id.slice(-20)],
  );
  return id;
}

const records = async (id: string) => {
  const { rows } = await desk.base.admin.query(
    "select action, data from audit_log where request_id = $1 and action like 'run.rehearse%' order by id",
    [id],
  );
  return rows;
};

it("one of a request, and four altogether; each is written down at its beginning and its end", async () => {
  const world = deafWorld();
  const rehearse = (id: string) =>
    rehearseRequest(
      { ...desk, db: desk.base.db, actor: desk.kim, guard: world.guard },
      id,
      CREDENTIALS,
      new AbortController().signal,
    ).then(
      () => "rehearsed",
      (error: { code?: string }) => error.code,
    );
  const ids = await Promise.all(Array.from({ length: 5 }, heldRequest));
  const [last = "", ...first] = ids;
  const underWay = first.map(rehearse);
  const begun = async () =>
    (await Promise.all(first.map(records))).every(({ length }) => length > 0);
  while (world.asked.length === 0 || !(await begun())) await sleep(10);

  const [one = ""] = first;
  expect(await records(one)).toEqual([{ action: "run.rehearse_start", data: {} }]);
  expect(await rehearse(one)).toBe("rehearsal_busy");
  expect(await rehearse(last)).toBe("rehearsal_busy");
  expect(await records(last)).toEqual([]);

  world.release();
  expect(new Set(await Promise.all(underWay))).toEqual(new Set(["credentials_refused"]));
  const ended = { action: "run.rehearse", data: { ok: false, code: "credentials_refused" } };
  expect((await records(one)).slice(1)).toEqual([ended]);
  expect(await rehearse(last)).toBe("credentials_refused");
});

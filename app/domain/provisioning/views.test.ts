/** What the desk's pages for credentials and runs read. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeyring, createVault } from "#app/domain/vault/index.server.ts";
import { asActor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { attachBackend } from "../backends/index.server.ts";
import { claimRequest } from "../queue/index.server.ts";
import { viewRequest } from "./commands.ts";
import { viewCredentials } from "./credentials-view.ts";
import { viewForDesk } from "./desk-request.ts";
import { readRun } from "./run-report.ts";
import { startRun } from "./runs.ts";

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk?.base.drop());

const vault = createVault(
  createKeyring([{ id: "k1", key: Buffer.alloc(32, 7) }]),
  Buffer.alloc(32, 9),
);
const KIM = { userId: "kim", role: "admin" as const };
const LOU = { userId: "lou", role: "admin" as const };
const SAM = { userId: "sam", role: "supervisor" as const };
const SECRETS = {
  url: "https://abcdefghijklmnopqrst.supabase.co",
  anonKey: "sb_publishable_canary-anon-0001",
  serviceRoleKey: "sb_secret_canary-service-0002",
  databaseUrl: "postgresql://postgres.x:canary-password@h:5432/postgres",
};

const view = (requestId: string, visitor: typeof KIM | typeof SAM) =>
  desk.as(desk.kim, (tx) => viewCredentials({ tx, vault }, requestId, visitor));

async function claimed() {
  const { id } = await desk.request();
  return desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
}

describe("who may supply credentials", () => {
  it("is whoever holds the request, or a supervisor", async () => {
    const { id } = await desk.request();
    expect(await view(id, KIM)).toMatchObject({ standing: "unclaimed", holder: null });
    await desk.as(desk.kim, (tx) => claimRequest({ tx, actor: desk.kim }, id));
    const holder = { name: "Kim", isVisitor: false };
    expect(await view(id, KIM)).toMatchObject({ standing: "open", holder: { isVisitor: true } });
    expect(await view(id, LOU)).toMatchObject({ standing: "held", holder });
    expect(await view(id, SAM)).toMatchObject({ standing: "open", holder });
    await desk.plant(id, { lease_expires_at: new Date(Date.now() - 1_000) });
    for (const visitor of [KIM, LOU, SAM]) {
      expect((await view(id, visitor)).standing).toBe("expired");
    }
  });

  it("says of a holder who has left the staff that they have", async () => {
    const { id } = await claimed();
    expect((await view(id, LOU)).holder).toMatchObject({ hasLeft: false });
    await desk.plant(id, { status: "failed", lease_expires_at: null });
    const set = (at: string) =>
      desk.base.admin.query(`update admin_users set deactivated_at = ${at} where user_id = 'kim'`);
    await set("now()");
    expect((await view(id, SAM)).holder).toMatchObject({ name: "Kim", hasLeft: true });
    const shown = await desk.as(desk.sam, (tx) =>
      viewForDesk({ tx, vault, catalog: desk.catalog }, id, SAM),
    );
    expect(shown.assignee).toMatchObject({ id: "kim", hasLeft: true });
    await set("null");
  });

  it.each([
    ["credentials_received", "over"],
    ["migrating", "over"],
    ["completed", "over"],
    ["cancelled", "over"],
    ["failed", "open"],
    ["waiting_on_customer", "open"],
  ])("of a request that is %s: %s", async (status, standing) => {
    const { id } = await claimed();
    await desk.plant(id, { status, lease_expires_at: null });
    expect((await view(id, KIM)).standing).toBe(standing);
  });
});

describe("what is shown of credentials", () => {
  it("is where they came from, their last four and a fingerprint; no secret", async () => {
    const request = await claimed();
    await asActor(desk.base.db, desk.kim, (tx) =>
      attachBackend({ tx, actor: desk.kim, vault }, request, SECRETS, {
        ref: "abcdefghijklmnopqrst",
        status: "offered",
      }),
    );
    const shown = await view(request.id, KIM);
    expect(shown.backend).toMatchObject({ status: "offered", url: SECRETS.url });
    expect(shown.backend?.credentials).toContainEqual({
      field: "serviceRoleKey",
      lastFour: "0002",
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    });
    expect(JSON.stringify(shown)).not.toContain("canary");
  });
});

describe("a run's report", () => {
  it("is absent before there is a run, and the newest one afterwards", async () => {
    const request = await claimed();
    const read = (runId?: string) =>
      desk.as(desk.kim, (tx) => readRun({ tx, catalog: desk.catalog }, request.id, runId));
    expect(await read()).toEqual({ run: null, runs: [] });
    const start = () =>
      desk.as(desk.kim, async (tx) => {
        const context = { tx, actor: desk.kim };
        const backend = await attachBackend({ ...context, vault }, request, SECRETS, {
          ref: "bbcdefghijklmnopqrst",
          status: "building",
        });
        return startRun(context, desk.catalog, request, backend);
      });
    const first = await start();
    await desk.base.admin.query(
      "update provisioning_runs set status = 'failed', ended_at = now() where id = $1",
      [first],
    );
    const second = await start();
    const newest = await read();
    expect(newest.runs.map(({ runId, number }) => [runId, number])).toEqual([
      [second, 2],
      [first, 1],
    ]);
    expect(newest.run).toMatchObject({ runId: second, number: 2, status: "queued", inHand: false });
    expect(newest.run?.steps[0]).toMatchObject({ name: "Preflight", status: "pending" });
    expect((await read(first)).run).toMatchObject({ number: 1, status: "failed" });
    // Another request's run is none of this one's.
    const other = await claimed();
    const foreign = await desk.as(desk.kim, (tx) =>
      readRun({ tx, catalog: desk.catalog }, other.id, first),
    );
    expect(foreign.run).toBeNull();
  });

  it("tells who wants the run to end, what its plan was made from, and how long it takes", async () => {
    const request = await claimed();
    const start = () =>
      desk.as(desk.kim, async (tx) => {
        const context = { tx, actor: desk.kim };
        const backend = await attachBackend({ ...context, vault }, request, SECRETS, {
          ref: "dbcdefghijklmnopqrst",
          status: "building",
        });
        return startRun(context, desk.catalog, request, backend);
      });
    const runId = await start();
    const read = async () =>
      (await desk.as(desk.kim, (tx) => readRun({ tx, catalog: desk.catalog }, request.id))).run;
    const api = async () =>
      (await desk.as(desk.kim, (tx) => viewRequest({ tx, vault }, request.id))).run;
    const set = (text: string, ...values: unknown[]) =>
      desk.base.admin.query(text, [runId, ...values]);
    expect(await read()).toMatchObject({ cancelRequested: null, canCancel: true, basis: null });
    await set("update provisioning_steps set expected_ms = 1000, planned = null where run_id = $1");
    const total = (await read())?.steps.length ?? 0;
    expect((await read())?.expectedRemainingMs).toBe(total * 1_000);
    expect((await api())?.expectedRemainingMs).toBe(total * 1_000);
    await set(
      "update provisioning_steps set expected_ms = null where run_id = $1 and position = 3",
    );
    expect((await read())?.expectedRemainingMs).toBeNull();
    // What is in the ledger already costs nothing.
    await set(
      "update provisioning_steps set planned = 'applied' where run_id = $1 and position = 3",
    );
    expect((await read())?.expectedRemainingMs).toBe((total - 1) * 1_000);

    const applied = { "20260901000100": "a", "seed:base": null };
    const basis = { digest: "d", surveyedAt: "2026-11-21T10:00:00.000Z", serverVersion: "17.6" };
    const error = { code: "run_cancelled", message: "Kim cancelled this run." };
    await set(
      `update provisioning_runs set status = 'cancelled', cancel_requested_at = berth_now(),
         cancel_requested_by = 'kim', basis = $2, error = $3 where id = $1`,
      { ...basis, isFresh: false, applied },
      error,
    );
    // Even where a step of it needs a person, the run ended because somebody cancelled it.
    await set(
      "update provisioning_steps set error = $2 where run_id = $1 and kind = 'auth-config'",
      { code: "needs_person", message: "x" },
    );
    expect(await read()).toMatchObject({
      cancelRequested: { by: "Kim", at: expect.any(String) },
      canCancel: false,
      expectedRemainingMs: null,
      basis: { serverVersion: "17.6", isFresh: false, applied: 2 },
      error,
    });
    expect(await api()).toMatchObject({ error, cancelRequestedAt: expect.any(String) });
  });

  it("shows the failed statement of the very file that was run, and redacts what databases said", async () => {
    const request = await claimed();
    const runId = await desk.as(desk.kim, async (tx) => {
      const context = { tx, actor: desk.kim };
      const backend = await attachBackend({ ...context, vault }, request, SECRETS, {
        ref: "cbcdefghijklmnopqrst",
        status: "building",
      });
      return startRun(context, desk.catalog, request, backend);
    });
    const file = desk.catalog.get("base").migrations[0];
    const statement = file?.statements[1];
    if (!file || !statement) throw new Error("The base template has become smaller.");
    const plant = (checksum: string) =>
      desk.base.admin.query(
        `update provisioning_steps set status = 'failed', checksum = $4, outcome = $5, error = $3
         where run_id = $1 and file = $2`,
        [
          runId,
          file.path,
          { code: "sql_step_failed", message: "no", line: statement.line, statement: "2" },
          checksum,
          { notices: ["password=canary1"] },
        ],
      );
    const step = async () => {
      const { run } = await desk.as(desk.kim, (tx) =>
        readRun({ tx, catalog: desk.catalog }, request.id),
      );
      return run?.steps.find((one) => one.file === file.path);
    };
    await plant(file.checksum);
    const shown = await step();
    const { excerpt } = shown ?? {};
    expect(excerpt?.line).toBe(statement.line);
    expect(excerpt?.lines[statement.line - excerpt.from]).toBe(
      file.sql.split("\n")[statement.line - 1],
    );
    expect(JSON.stringify(shown?.outcome)).not.toContain("canary");
    await plant("0".repeat(64));
    expect((await step())?.excerpt).toBeNull();
  });
});

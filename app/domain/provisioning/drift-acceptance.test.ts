import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { NotStaffError, RoleMissingError } from "../identity/index.server.ts";
import { RequestNotFoundError, readSeen } from "../queue/index.server.ts";
import { acceptanceOf, driftAcceptance, tellFailure } from "./drift-acceptance.ts";
import {
  acceptDrift,
  actOnRequest,
  DriftNotFoundError,
  deskAct,
  readAcceptance,
  readAcceptedLines,
  viewForDesk,
} from "./index.server.ts";

const DIGEST = "d".repeat(64);
const REASON = "The customer asked for it in writing.";
let desk: Desk;
const staff = (id: string): Actor => ({ kind: "staff", id, origin: "", correlationId: "t" });
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());

/** A request whose newest run ended so. */
async function stopped(error: object = { code: "drift", digest: DIGEST, difference: ["a", "b"] }) {
  const { id, customerId } = await desk.request();
  const { rows } = await desk.base.admin.query(
    `with b as (insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       values (gen_random_uuid(), $1, $2, $3, 'https://x', 'building') returning id),
     r as (insert into provisioning_runs (id, request_id, backend_id, status, templates)
       select gen_random_uuid(), $2, id, 'failed', '{}' from b returning id, backend_id),
     s as (insert into provisioning_steps (id, run_id, position, name, kind, status, error)
       select gen_random_uuid(), id, 0, 'Preflight', 'preflight', 'failed', $4 from r)
     select backend_id from r`,
    [customerId, id, id.slice(-20), JSON.stringify(error)],
  );
  return { id, backendId: rows[0].backend_id as string };
}
const accept = (who: string, id: string, facts: Partial<{ digest: string; reason: string }> = {}) =>
  desk.as(staff(who), (tx) =>
    acceptDrift({ tx, actor: staff(who) }, id, { digest: DIGEST, reason: REASON, ...facts }),
  );

describe("accepting a difference", () => {
  it("is kept once, with its reason, and holds for that backend and that difference", async () => {
    const { id, backendId } = await stopped();
    expect(await accept("sam", id)).toBe("accepted");
    expect(await accept("sam", id, { reason: "Another reason for it." })).toBe("already_accepted");
    const { rows } = await desk.base.admin.query(
      `select actor_id, subject_kind, subject_id, data from audit_log
       where action = 'drift.accept' and request_id = $1`,
      [id],
    );
    expect(rows).toEqual([
      {
        actor_id: "sam",
        subject_kind: "backend",
        subject_id: backendId,
        data: expect.objectContaining({ digest: DIGEST, lines: 2, reason: REASON }),
      },
    ]);
    expect(await desk.as(staff("kim"), (tx) => readAcceptance(tx, id))).toMatchObject({
      by: "Sam",
      reason: REASON,
    });
    const asked = (backend: string, digest: string) =>
      desk.as(desk.worker, (tx) => acceptanceOf(tx, backend, digest));
    expect(await asked(backendId, DIGEST)).toEqual({ by: "sam", reason: REASON });
    expect(await asked(backendId, "e".repeat(64))).toBeNull();
    expect(await asked((await stopped()).backendId, DIGEST)).toBeNull();
  });

  it("is told of when another difference follows, line by line", async () => {
    const { id, backendId } = await stopped();
    const known = () => desk.as(staff("kim"), (tx) => readAcceptedLines(tx, id));
    expect(await known()).toEqual([]);
    await accept("sam", id);
    expect(await known()).toEqual([]);
    await desk.base.admin.query("update drift_acceptances set digest = $2 where backend_id = $1", [
      backendId,
      "e".repeat(64),
    ]);
    expect(await known()).toHaveLength(2);
  });

  it("is told on the request's own page, which asks for a retry from then on", async () => {
    const { id } = await stopped();
    const told = { code: "drift", message: "It differs.", step: "Preflight", found: "a" };
    const failure = { ...told, needed: "another database", fix: "Let a supervisor accept it." };
    await desk.plant(id, { status: "failed", failure });
    const { catalog, vault } = desk;
    const shown = () =>
      desk.as(staff("kim"), async (tx) => {
        const visitor = { userId: "kim", role: "admin" as const };
        return (await viewForDesk({ tx, vault, catalog }, id, visitor)).failure;
      });
    const { kim } = desk;
    const toldByApi = () => desk.as(kim, (tx) => tellFailure(tx, id, failure));
    expect([await shown(), await toldByApi()]).toEqual([failure, failure]);
    await accept("sam", id);
    await desk.base.admin.query(
      "update request_events set at = '2026-11-21T10:04:59Z' where request_id = $1 and kind = 'drift_accepted'",
      [id],
    );
    // An API key tells the same, though it may not read the acceptances.
    expect(await toldByApi()).toEqual(await shown());
    expect(await shown()).toEqual({
      ...told,
      needed: "nothing more: Sam accepted this difference on 21 November 2026 at 10:04 UTC",
      fix: "Retry: the run goes on from where it stopped, as long as nothing else differs by then.",
    });
    // Another failure of the same database has an advice of its own.
    await desk.plant(id, { failure: { ...failure, code: "sql_step_failed" } });
    expect(await shown()).toEqual({ ...failure, code: "sql_step_failed" });
  });

  it("is a supervisor's alone", async () => {
    const { id } = await stopped();
    await expect(accept("kim", id)).rejects.toThrow(RoleMissingError);
    await expect(accept("nobody", id)).rejects.toThrow(NotStaffError);
    expect(await desk.as(staff("kim"), (tx) => readAcceptance(tx, id))).toBeNull();
  });

  it("needs a newest run that was stopped by that difference", async () => {
    const { id } = await stopped();
    await expect(accept("sam", id, { digest: "e".repeat(64) })).rejects.toThrow(DriftNotFoundError);
    const other = await stopped({ code: "sql_step_failed", digest: DIGEST });
    await expect(accept("sam", other.id)).rejects.toThrow(DriftNotFoundError);
    await expect(accept("sam", (await desk.request()).id)).rejects.toThrow(DriftNotFoundError);
    await expect(accept("sam", crypto.randomUUID())).rejects.toThrow(RequestNotFoundError);
  });

  it("comes from a page's form, and keeps no secret", async () => {
    const { id, backendId } = await stopped();
    const actor = staff("sam");
    const secret = `sb_secret_${"x".repeat(30)}`;
    await desk.as(actor, async (tx) => {
      const seen = await readSeen(tx, id);
      const form = {
        intent: "accept-drift",
        digest: DIGEST,
        reason: `Its key is ${secret}`,
        ...seen,
      };
      await actOnRequest({ tx, actor, catalog: desk.catalog }, id, deskAct.parse(form));
    });
    const { rows } = await desk.base.admin.query(
      `select a.reason, l.data->>'reason' as audited from drift_acceptances a
       join audit_log l on l.subject_id = a.backend_id::text where a.backend_id = $1`,
      [backendId],
    );
    const reason = "Its key is sb_secret_[redacted]";
    expect(rows).toEqual([{ reason, audited: reason }]);
  });

  it.each([
    ["too short", "because"],
    ["blank", " \n\t ".repeat(10)],
    ["invisible", "\u200b".repeat(20)],
    ["too long", "x".repeat(501)],
  ])("asks for a reason of 10 to 500 characters, not one that is %s", (_what, reason) => {
    expect(driftAcceptance.safeParse({ digest: DIGEST, reason }).success).toBe(false);
    const right = driftAcceptance.parse({ digest: DIGEST, reason: ` ${"x".repeat(500)}\r\n` });
    expect(right.reason).toBe("x".repeat(500));
  });
});

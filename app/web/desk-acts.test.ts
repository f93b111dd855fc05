/** What a page is told of a look at a retry, or a held retry, that is refused before Berth reaches out. */
import type { ActionFunctionArgs } from "@remix-run/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addNote } from "#app/domain/queue/index.server.ts";
import { createOutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Desk, openDesk } from "../../tests/support/desk.ts";
import { EACH_PERSON_TEST } from "./api/limits.ts";
import { lookAtRetry, retryAsSeen } from "./desk-acts.server.ts";

const DIGEST = "0".repeat(64);

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => desk.base.admin.query("delete from rate_limits"));
afterAll(() => desk?.base.drop());

/** What the two read of a call. */
function args(): ActionFunctionArgs {
  const { catalog, vault, base } = desk;
  const guard = createOutboundGuard({ allowSuffixes: [], allowOrigins: "" });
  const services = { db: base.db, catalog, vault, guard };
  const log = { warn: () => {} };
  const context = { runtime: { services, log }, clientAddress: "192.0.2.7", correlationId: "test" };
  return { context } as unknown as ActionFunctionArgs;
}

const kim = () => ({
  visitor: { userId: "kim", role: "admin" } as never,
  actor: { ...desk.kim, kind: "staff" as const },
});
const ACTS = {
  "a look": (id: string, seen: { version: number; eventId: number }) =>
    lookAtRetry(args(), kim(), id, { intent: "retry", ...seen }),
  "a held retry": (id: string, seen: { version: number; eventId: number }) =>
    retryAsSeen(args(), kim(), id, { intent: "retry", ...seen }, DIGEST),
};

/** A request of Kim's, as a page showed it when it had failed. */
async function failedRequest() {
  const { id } = await desk.request();
  const failure = { code: "x", message: "x" };
  await desk.plant(id, { status: "failed", failure, assignee_id: "kim", version: 5 });
  const { rows } = await desk.base.admin.query(
    "select max(id)::int as event from request_events where request_id = $1",
    [id],
  );
  return { id, seen: { version: 5, eventId: rows[0].event as number } };
}

/** What would show that a request was touched, or a project tested. */
const traces = async (id: string) =>
  (
    await desk.base.admin.query(
      `select version, lease_expires_at, (select count(*)::int from audit_log
         where request_id = q.id::text and action = 'credentials.test') as tests,
         (select count(*)::int from provisioning_runs where request_id = q.id) as runs
       from provisioning_queue q where id = $1`,
      [id],
    )
  ).rows;

describe.each(Object.entries(ACTS))("%s", (_name, act) => {
  it("is refused where the request has moved since, and says what happened", async () => {
    const { id, seen } = await failedRequest();
    await desk.as(desk.lou, (tx) => addNote({ tx, actor: desk.lou }, id, "Rang them."));
    await desk.base.admin.query(
      `insert into request_events (request_id, kind, actor_kind, actor_id, data)
       values ($1, 'retried', 'staff', 'lou', '{}')`,
      [id],
    );
    // It was retried, and failed again.
    await desk.plant(id, { version: 9 });
    const before = await traces(id);
    const answer = await act(id, seen);
    expect([answer?.status, answer?.look]).toEqual([409, null]);
    expect(answer?.refusal?.problem.code).toBe("request_changed");
    expect(answer?.refusal?.changes.map(({ kind }) => kind).sort()).toEqual(["note", "retried"]);
    expect(await traces(id)).toEqual(before);
  });

  it("is refused where the request has not failed: its claim is not extended, nothing tested", async () => {
    const { id, seen } = await failedRequest();
    await desk.plant(id, { status: "in_progress" });
    const before = await traces(id);
    const answer = await act(id, seen);
    expect(answer?.refusal?.problem.code).toBe("request_wrong_state");
    expect(await traces(id)).toEqual(before);
  });

  it("counts as a connection test, and is refused where too many were started", async () => {
    const { id, seen } = await failedRequest();
    const spent = () =>
      desk.base.admin.query("select sum(spent)::int as spent from rate_limits where bucket = $1", [
        `${EACH_PERSON_TEST.name}:kim`,
      ]);
    // Without a project there is nothing to test, and yet it was tried.
    expect((await act(id, seen))?.refusal?.problem.code).toBe("credentials_missing");
    expect((await spent()).rows).toEqual([{ spent: 1 }]);
    await desk.base.admin.query(
      `insert into rate_limits (bucket, window_start, spent)
       select $1, to_timestamp(floor(extract(epoch from berth_now()) / 60) * 60) + n * interval '1 minute', $2
       from generate_series(0, 2) n
       on conflict (bucket, window_start) do update set spent = excluded.spent`,
      [`${EACH_PERSON_TEST.name}:kim`, EACH_PERSON_TEST.calls],
    );
    const answer = await act(id, seen);
    expect([answer?.status, answer?.look]).toEqual([429, null]);
    expect(answer?.refusal?.problem.code).toBe("rate_limited");
  });
});

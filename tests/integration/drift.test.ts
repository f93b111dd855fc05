/** A database that somebody changed between two runs stops the second, until it may differ. */
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  acceptDrift,
  DriftNotFoundError,
  readAcceptance,
} from "#app/domain/provisioning/index.server.ts";
import { type Actor, asActor, createDb, type Db, type Tx } from "#db/index.ts";
import {
  claimedRequest,
  credentialsOf,
  type RunningBerth,
  settled,
  sharedBerth,
} from "../support/shared-berth.ts";

let berth: RunningBerth;
let db: Db;
beforeAll(async () => {
  berth = await sharedBerth();
  const { databaseUrl } = berth.local.info;
  db = createDb(databaseUrl, { applicationName: "test", max: 2, onError: () => {} });
});
afterAll(async () => {
  await db?.$client.end();
  await berth?.stop();
});

/** One of the demo staff, signed in. */
async function staff(email: string): Promise<Actor> {
  const { rows } = await db.$client.query<{ id: string }>(
    `select id from auth."user" where email = $1`,
    [email],
  );
  return { kind: "staff", id: rows[0]?.id ?? "", origin: "192.0.2.1", correlationId: "test" };
}

const as = <T>(actor: Actor, work: (tx: Tx) => Promise<T>) => asActor(db, actor, work);

it("stops the retry with what differs; a supervisor's reason lets exactly that pass", async () => {
  const project = await berth.sandbox.project();
  const customer = new pg.Client({
    connectionString: project.directUrl,
    ssl: { rejectUnauthorized: false },
  });
  customer.on("error", () => undefined);
  await customer.connect();
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const act = async (path: string, body: unknown = {}) => {
    const answer = await berth.api("POST", `/api/queue/${requestId}/${path}`, body);
    expect(answer).toMatchObject({ status: 200 });
    return settled(berth.api, requestId);
  };

  await berth.sandbox.addFault({
    kind: "error",
    ref: project.ref,
    route: "POST /auth/v1/admin/users",
    status: 500,
  });
  const first = await act("credentials", credentialsOf(project));
  expect(first.failure).toMatchObject({ step: "Owner account" });
  expect(first.run.steps[0].outcome.drift).toBe("fresh");
  await berth.sandbox.dropFaults(project.ref);
  await customer.query(
    "alter table public.company_settings add motto text, alter locale drop default",
  );

  const drifted = await act("retry");
  expect(drifted.failure).toMatchObject({
    code: "drift",
    needed: /recorded versions/,
    fix: /accept/,
  });
  const { error } = drifted.run.steps[0];
  const lines = [
    "public.company_settings.locale: the column is text not null, the ledger's versions make text not null default 'en'::text",
    "public.company_settings.motto: a column that no applied version makes",
  ];
  expect(error).toMatchObject({ code: "drift", difference: lines });
  const { digest } = error;

  const [admin, supervisor] = await Promise.all(
    ["admin@berth.example", "supervisor@berth.example"].map(staff),
  );
  if (!admin || !supervisor) throw new Error("The demo staff is not there.");
  const reason = "The customer asked for a motto in writing.";
  const accept = (actor: Actor, which = digest) =>
    as(actor, (tx) => acceptDrift({ tx, actor }, requestId, { digest: which, reason }));
  await expect(accept(admin)).rejects.toMatchObject({ code: "role_missing" });
  await expect(accept(supervisor, "0".repeat(64))).rejects.toThrow(DriftNotFoundError);
  expect(await accept(supervisor)).toBe("accepted");
  expect(await accept(supervisor)).toBe("already_accepted");
  expect(await as(admin, (tx) => readAcceptance(tx, requestId))).toMatchObject({
    digest,
    reason,
    by: "Demo Supervisor",
  });
  const { body: told } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(told.failure).toMatchObject({
    code: "drift",
    message: drifted.failure.message,
    needed: expect.stringMatching(/^nothing more: Demo Supervisor accepted this difference on /),
    fix: expect.stringMatching(/^Retry: /),
  });
  const { rows: audit } = await db.$client.query(
    "select actor_id, request_id, data from audit_log where action = 'drift.accept' and request_id = $1",
    [requestId],
  );
  expect(audit).toEqual([
    {
      actor_id: supervisor.id,
      request_id: requestId,
      data: expect.objectContaining({ digest, reason, lines: 2 }),
    },
  ]);

  // Not what was accepted: one line more.
  await customer.query("create table public.notes (id int)");
  expect((await act("retry")).failure).toMatchObject({ code: "drift" });
  await customer.query("drop table public.notes");

  const done = await act("retry");
  expect(done.status).toBe("completed");
  expect(done.run.steps[0].outcome).toMatchObject({
    drift: "accepted",
    driftAcceptedBy: supervisor.id,
  });
  const { rows: left } = await customer.query(
    "select datname from pg_database where datname like 'berth_scratch%'",
  );
  expect(left).toEqual([]);
  await customer.end();
});

import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../tests/support/database.ts";
import { type Actor, asActor } from "./index.ts";

let base: TestDatabase;
const customer = (id: string): Actor => ({ kind: "customer", id, origin: "", correlationId: "t" });
const worker: Actor = { kind: "worker", id: "w1", origin: "", correlationId: "t" };

const REQUEST = {
  ann: "00000000-0000-7000-8000-0000000000a1",
  bob: "00000000-0000-7000-8000-0000000000b1",
};

/** Runs raw SQL under an actor's role; resolves to the rows, rejects with PostgreSQL's error. */
const as = (actor: Actor, text: string) =>
  asActor(base.db, actor, (tx) => tx.execute(sql.raw(text))).then((result) => result.rows);

/** The SQLSTATE with which PostgreSQL refused, or "accepted". */
const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "accepted",
    (error: Error & { cause?: { code?: string }; code?: string }) =>
      error.cause?.code ?? error.code,
  );

beforeAll(async () => {
  base = await createTestDatabase();
  await base.admin.query(`
    insert into plans (id, name, description, monthly_price, yearly_price, templates, position)
      values ('starter', 'Starter', 'x', 1, 1, '{}', 1);
    insert into plan_targets (plan_id, priority, hours) values ('starter', 'normal', 72);
    insert into auth."user" (id, name, email) values ('ann', 'Ann', 'ann@example.com'), ('bob', 'Bob', 'bob@example.com');
    insert into customers (id, user_id, company, contact_name, email, country, timezone) values
      ('00000000-0000-7000-8000-00000000000a', 'ann', 'A', 'Ann', 'ann@example.com', 'DE', 'UTC'),
      ('00000000-0000-7000-8000-00000000000b', 'bob', 'B', 'Bob', 'bob@example.com', 'DE', 'UTC');
    insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority) values
      ('${REQUEST.ann}', '00000000-0000-7000-8000-00000000000a', 'starter', 'monthly', 'eu-west-1', '{base}', 'normal'),
      ('${REQUEST.bob}', '00000000-0000-7000-8000-00000000000b', 'starter', 'monthly', 'eu-west-1', '{base}', 'normal');
    insert into request_events (request_id, kind, actor_kind, actor_id) values
      ('${REQUEST.ann}', 'received', 'api', 'x'), ('${REQUEST.bob}', 'received', 'api', 'x');
    insert into request_clock_segments (request_id, kind, started_at) values
      ('${REQUEST.ann}', 'running', now()), ('${REQUEST.bob}', 'running', now());
    insert into customer_backends (id, customer_id, request_id, project_ref, url, status) select
      gen_random_uuid(), customer_id, id, 'ref' || right(id::text, 2), 'https://x', 'building' from provisioning_queue;
    insert into provisioning_runs (id, request_id, backend_id, status, templates)
      select gen_random_uuid(), request_id, id, 'running', '{}' from customer_backends where project_ref = 'refa1';
    insert into provisioning_steps (id, run_id, position, name, kind) select gen_random_uuid(), id, 0, 'x', 'sql' from provisioning_runs;
    insert into data_keys (backend_id, generation, key_id, wrapped) select id, 1, 'k', '\\x00' from customer_backends;
    insert into audit_log (actor_kind, actor_id, action, subject_kind, subject_id) values ('api', 'x', 'planted', 'request', 'r');
  `);
});
afterAll(() => base.drop());

describe("row-level security", () => {
  const owned = ["customers", "provisioning_queue", "request_events", "request_clock_segments"];

  it.each(owned)("shows each of two customers its own rows of %s alone", async (table) => {
    const key =
      table === "customers" ? "user_id" : table === "provisioning_queue" ? "id" : "request_id";
    const ann = await as(customer("ann"), `select ${key} as key from ${table}`);
    const bob = await as(customer("bob"), `select ${key} as key from ${table}`);
    expect(ann).toEqual([{ key: table === "customers" ? "ann" : REQUEST.ann }]);
    expect(bob).toEqual([{ key: table === "customers" ? "bob" : REQUEST.bob }]);
    expect(await as(customer("nobody"), `select ${key} as key from ${table}`)).toEqual([]);
    expect(await as(worker, `select ${key} as key from ${table}`)).toHaveLength(2);
  });

  it("shows a customer its own backend, and of the work on it how far it is", async () => {
    expect(await as(customer("ann"), "select project_ref from customer_backends")).toEqual([
      { project_ref: "refa1" },
    ]);
    const seen =
      "select r.status, s.kind from provisioning_runs r join provisioning_steps s on s.run_id = r.id";
    expect(await as(customer("ann"), seen)).toEqual([{ status: "running", kind: "sql" }]);
    expect(await as(customer("bob"), seen)).toEqual([]);
    expect(await refusal(as(customer("ann"), "select error from provisioning_steps"))).toBe(
      "42501",
    );
    expect(await refusal(as(customer("ann"), "select recipient from outbox"))).toBe("42501");
  });

  it("keeps a customer from everything else, by raw SQL", async () => {
    const forbidden = [
      "select * from sealed_secrets",
      "select * from data_keys",
      "select * from audit_log",
      "select * from outbox",
      "select * from provisioning_runs",
      "select * from one_time_links",
      'select * from auth."user"',
      "select * from auth.session",
      "select * from pgboss.job",
      `update provisioning_queue set priority = 'vip', version = version + 1`,
      `insert into request_events (request_id, kind, actor_kind, actor_id) values ('${REQUEST.bob}', 'x', 'customer', 'ann')`,
      `insert into request_events (request_id, kind, actor_kind, actor_id) values ('${REQUEST.ann}', 'x', 'staff', 'ann')`,
      `insert into outbox (id, kind, request_id, recipient) values (gen_random_uuid(), 'ready', '${REQUEST.bob}', 'x@example.com')`,
      `insert into outbox (id, kind, recipient) values (gen_random_uuid(), 'password', 'x@example.com')`,
      `update provisioning_queue set status = 'in_progress', version = version + 1`,
      `update provisioning_queue set due_at = now(), version = version + 1`,
      `insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority) values
         (gen_random_uuid(), '00000000-0000-7000-8000-00000000000a', 'starter', 'monthly', 'eu-west-1', '{base}', 'vip')`,
      `insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority) values
         (gen_random_uuid(), '00000000-0000-7000-8000-00000000000b', 'starter', 'monthly', 'eu-west-1', '{base}', 'normal')`,
      `insert into customers (id, user_id, company, contact_name, email, country, timezone) values
         (gen_random_uuid(), 'bob', 'C', 'x', 'bob@example.com', 'DE', 'UTC')`,
      `insert into onboarding_drafts (id, user_id) values (gen_random_uuid(), 'bob')`,
      `insert into data_keys (backend_id, generation, key_id, wrapped) select id, 2, 'k', '\\x00' from customer_backends`,
      "delete from customers",
      "set role berth_owner",
      "create table mine (x int)",
    ];
    for (const statement of forbidden) {
      expect(await refusal(as(customer("ann"), statement)), statement).toBe("42501");
    }
  });

  it("keeps the staff's notes from the customer", async () => {
    await as(
      worker,
      `insert into request_events (request_id, kind, actor_kind, actor_id) values ('${REQUEST.bob}', 'note', 'worker', 'w1')`,
    );
    expect(await as(customer("bob"), "select kind from request_events")).toEqual([
      { kind: "received" },
    ]);
  });

  it("lets a customer submit and take back for itself, and seal what its draft holds", async () => {
    const ann = customer("ann");
    const wish = "00000000-0000-7000-8000-0000000000a2";
    await as(
      ann,
      `insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, due_at)
       values ('${wish}', '00000000-0000-7000-8000-00000000000a', 'starter', 'monthly', 'eu-west-1', '{base}', 'normal',
         berth_now()::timestamptz(3) + interval '72 hours')`,
    );
    const takeBack = (actor: Actor) =>
      as(
        actor,
        `update provisioning_queue set status = 'cancelled', version = version + 1 where id = '${wish}' returning status`,
      );
    expect(await takeBack(customer("bob"))).toEqual([]);
    expect(await takeBack(ann)).toEqual([{ status: "cancelled" }]);
    const draft = "00000000-0000-7000-8000-0000000000d1";
    await as(
      ann,
      `insert into onboarding_drafts (id, user_id, backend_id) values (gen_random_uuid(), 'ann', '${draft}')`,
    );
    const seal = `insert into data_keys (backend_id, generation, key_id, wrapped) values ('${draft}', 1, 'k', '\\x00')`;
    expect(await refusal(as(customer("bob"), seal))).toBe("42501");
    expect(await refusal(as(ann, seal))).toBe("accepted");
    expect(await as(customer("bob"), "select backend_id from data_keys")).toEqual([]);
    expect(await as(ann, "delete from data_keys returning backend_id")).toEqual([
      { backend_id: draft },
    ]);
    expect(await refusal(as(ann, "select wrapped from data_keys"))).toBe("42501");
  });

  it("lets a customer forge neither times nor letters nor whose a secret is", async () => {
    const ann = customer("ann");
    const wish = (columns: string, values: string) =>
      `insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority${columns})
       values (gen_random_uuid(), '00000000-0000-7000-8000-00000000000a', 'starter', 'monthly', 'eu-west-1', '{base}', 'normal'${values})`;
    const due = "berth_now()::timestamptz(3) + interval '72 hours'";
    const letter = (recipient: string, kind: string, data: string) =>
      `insert into outbox (id, kind, request_id, recipient, data) values (gen_random_uuid(), '${kind}', '${REQUEST.ann}', '${recipient}', '${data}')`;
    const bobs = "(select id from bobs)";
    await base.admin.query(
      `create table bobs as select id from customer_backends where project_ref = 'refb1'; grant select on bobs to berth_customer`,
    );
    const forbidden = [
      wish(", due_at", ", '1970-01-01'"),
      wish(", due_at, created_at", `, '1970-01-04', '1970-01-01'`),
      wish(", due_at, lease_token", `, ${due}, 99`),
      `insert into request_events (request_id, kind, actor_kind, actor_id) values ('${REQUEST.ann}', 'completed', 'customer', 'ann')`,
      `insert into request_events (request_id, kind, actor_kind, actor_id, at) values ('${REQUEST.ann}', 'received', 'customer', 'ann', '2020-01-01')`,
      `insert into request_clock_segments (request_id, kind, started_at) values ('${REQUEST.ann}', 'running', '2020-01-01')`,
      `update request_clock_segments set ended_at = '2020-01-01'`,
      letter("victim@example.com", "received", "{}"),
      letter("ann@example.com", "ready", "{}"),
      letter(
        "ann@example.com",
        "received",
        `{"linkId": "${REQUEST.bob}", "linkPurpose": "set-password"}`,
      ),
      `insert into customers (id, user_id, company, contact_name, email, country, timezone) values
         (gen_random_uuid(), 'ann', 'C', 'x', 'bob@example.com', 'DE', 'UTC')`,
      `insert into onboarding_drafts (id, user_id, backend_id) values (gen_random_uuid(), 'ann', ${bobs})`,
      `insert into onboarding_drafts (id, user_id, request_id) values (gen_random_uuid(), 'ann', '${REQUEST.bob}')`,
      `update onboarding_drafts set backend_id = ${bobs}`,
    ];
    for (const statement of forbidden) {
      expect(await refusal(as(ann, statement)), statement).toBe("42501");
    }
    expect(await refusal(as(ann, letter("ann@example.com", "received", "{}")))).toBe("accepted");
    // A draft that came before the backend, however it did, opens nothing of what is in force.
    await base.admin.query(
      `update onboarding_drafts set backend_id = ${bobs} where user_id = 'ann'`,
    );
    expect(await as(ann, "select backend_id from data_keys")).toEqual([]);
    expect(await as(ann, "delete from data_keys returning backend_id")).toEqual([]);
    await base.admin.query("drop table bobs");
  });

  it("makes no session for an account whose password is gone", async () => {
    const open = `insert into auth.session (id, user_id, token, expires_at) values ('late', 'bob', 'late', now() + interval '1 day')`;
    await expect(base.admin.query(open)).rejects.toThrow(/no password/);
  });

  it("leaves runs, mails and links to the machinery", async () => {
    for (const kind of ["staff", "api"] as const) {
      const actor: Actor = { kind, id: "x", origin: "", correlationId: "" };
      for (const statement of [
        "update provisioning_runs set status = 'succeeded'",
        "update provisioning_steps set status = 'done'",
        "update one_time_links set used_at = null",
        "update outbox set recipient = 'x@example.com'",
        "update customers set user_id = 'bob'",
      ]) {
        expect(await refusal(as(actor, statement)), `${kind}: ${statement}`).toBe("42501");
      }
    }
  });

  it("gives the login role nothing of its own", async () => {
    expect(await refusal(base.db.execute(sql`select * from public.customers`))).toBe("42501");
  });

  it("is on for every table that a customer owns rows of", async () => {
    const { rows } = await base.admin.query(`
      select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not c.relrowsecurity
        and a.attname in ('customer_id', 'request_id', 'backend_id', 'run_id', 'owner_id')`);
    expect(rows).toEqual([]);
  });
});

describe("the audit record", () => {
  it.each(["update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"])(
    "refuses %s, by privilege and by trigger",
    async (statement) => {
      for (const kind of ["customer", "staff", "worker", "api"] as const) {
        const actor: Actor = { kind, id: "x", origin: "", correlationId: "" };
        expect(await refusal(as(actor, statement)), kind).toBe("42501");
      }
      await expect(base.admin.query(statement)).rejects.toThrow(/cannot be changed/);
    },
  );

  it("lets a customer add only what it did itself, at the database's own time", async () => {
    const insert = (actorId: string, column = "") =>
      as(
        customer("ann"),
        `insert into audit_log (actor_kind, actor_id, action, subject_kind, subject_id${column && ", at"})
         values ('customer', '${actorId}', 'x', 'request', 'r'${column && ", now()"})`,
      );
    expect(await refusal(insert("ann"))).toBe("accepted");
    expect(await refusal(insert("bob"))).toBe("42501");
    expect(await refusal(insert("ann", "at"))).toBe("42501");
  });

  it("lets nobody write in another one's name", async () => {
    for (const kind of ["customer", "staff", "worker", "api"] as const) {
      const actor: Actor = { kind, id: "x", origin: "", correlationId: "" };
      const write = (actorKind: string, actorId: string) =>
        refusal(
          as(
            actor,
            `insert into audit_log (actor_kind, actor_id, action, subject_kind, subject_id)
             values ('${actorKind}', '${actorId}', 'x', 'request', 'r')`,
          ),
        );
      expect(await write(kind, "x"), kind).toBe("accepted");
      expect(await write(kind, "y"), kind).toBe("42501");
      expect(await write(kind === "api" ? "staff" : "api", "x"), kind).toBe("42501");
    }
  });

  it("records what better-auth writes, without its secrets", async () => {
    await base.admin.query(`
      insert into auth.account (id, user_id, account_id, provider_id, password) values ('acc', 'ann', 'ann', 'credential', 'CANARY');
      update auth.account set password = 'CANARY2' where id = 'acc';
      insert into auth.session (id, user_id, token, expires_at, ip_address) values ('s', 'ann', 'CANARY3', now(), '127.0.0.1');`);
    const { rows } = await base.admin.query(
      "select action, actor_id, origin, row_to_json(audit_log)::text as whole from audit_log where action like 'account.%' and subject_id in ('acc', 's') order by id",
    );
    expect(rows.map((row) => [row.action, row.actor_id])).toEqual([
      ["account.account.insert", "ann"],
      ["account.account.update", "ann"],
      ["account.session.insert", "ann"],
    ]);
    expect(rows.map((row) => row.whole).join()).not.toContain("CANARY");
  });
});

describe("a request's edges, in the database", () => {
  it("refuses an edge that does not exist, a missed version and a falling token", async () => {
    const change = (set: string) =>
      refusal(as(worker, `update provisioning_queue set ${set} where id = '${REQUEST.ann}'`));
    expect(await change("status = 'completed', version = version + 1")).toBe("23514");
    expect(await change("status = 'in_progress'")).toBe("23514");
    expect(await change("lease_token = -1, version = version + 1")).toBe("23514");
    expect(await change("status = 'in_progress', version = version + 1")).toBe("accepted");
  });
});

describe("the end of a run, in the database", () => {
  const staff: Actor = { kind: "staff", id: "kim", origin: "", correlationId: "t" };
  const ask = (set: string, actor = staff) =>
    refusal(as(actor, `update provisioning_runs set ${set} where request_id = '${REQUEST.ann}'`));
  const now = "cancel_requested_at = berth_now()";

  it("is asked for once, now, in one's own name, and of an open run", async () => {
    const forbidden = [
      `${now}, cancel_requested_by = 'sam'`,
      now,
      "cancel_requested_by = 'kim'",
      "cancel_requested_at = berth_now() - interval '1 day', cancel_requested_by = 'kim'",
      "status = 'cancelled'",
    ];
    for (const set of forbidden) expect(await ask(set), set).toBe("42501");
    await base.admin.query("update provisioning_runs set status = 'failed'");
    expect(await ask(`${now}, cancel_requested_by = 'kim'`)).toBe("42501");
    await base.admin.query("update provisioning_runs set status = 'running'");
    expect(await ask(`${now}, cancel_requested_by = 'kim'`)).toBe("accepted");
    const again = [
      `${now}, cancel_requested_by = 'kim'`,
      "cancel_requested_at = null, cancel_requested_by = null",
    ];
    for (const set of again) expect(await ask(set), set).toBe("42501");
    expect(await ask("cancel_requested_at = null, cancel_requested_by = null", worker)).toBe(
      "accepted",
    );
  });
});

describe("berth_now()", () => {
  it("is the transaction's time, and only the schema's owner can shift it", async () => {
    const read = async () =>
      Number(
        (await as(worker, "select extract(epoch from berth_now() - now()) as shift"))[0]?.shift,
      );
    expect(await read()).toBe(0);
    expect(await refusal(as(worker, "insert into berth_test_clock (shift) values ('1 day')"))).toBe(
      "42501",
    );
    await base.shiftClock("2 hours");
    expect(await read()).toBe(7200);
    await base.shiftClock("0");
  });
});

describe("berth_enqueue()", () => {
  it("makes the job that the engine itself would make, and none for an unknown queue", async () => {
    const { PgBoss } = await import("pg-boss");
    const boss = new PgBoss({
      connectionString: base.jobsDatabaseUrl,
      createSchema: false,
      migrate: false,
      supervise: false,
      schedule: false,
    });
    boss.on("error", () => {});
    await boss.start();
    const payload = { runId: "00000000-0000-7000-8000-00000000000a" };
    await boss.send("provision-run", payload);
    await boss.stop({ graceful: false });
    await as(
      customer("ann"),
      `select berth_enqueue('provision-run', '${JSON.stringify(payload)}')`,
    );
    const { rows } = await base.admin.query(
      `select to_jsonb(job) - '{id,start_after,created_on,keep_until}'::text[] as job,
              keep_until - start_after as kept from pgboss.job where name = 'provision-run'`,
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toEqual(rows[1]);
    expect(await refusal(as(worker, "select berth_enqueue('no-such-queue', '{}')"))).toBe("42704");
    expect(await refusal(as(worker, "select berth_enqueue('__pgboss__send-it', '{}')"))).toBe(
      "42501",
    );
  });
});

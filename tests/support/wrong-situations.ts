/** What can be wrong with a customer's database, and the words that people get for it. */
import { eventually } from "./client.ts";
import type { WrongRun } from "./wrong-scene.ts";
import { SECOND_VERSION } from "./wrong-templates.ts";

export interface Told {
  code: string;
  sqlstate?: string;
  /** Words as they are, or a pattern where they hold a number or a name. */
  found: string | RegExp;
  needed: string | RegExp;
  fix: string | RegExp;
}

export interface WrongSituation extends WrongRun {
  /** Whether the run waits for it to pass, for half a minute and more. */
  isPatient?: boolean;
  told: Told;
}

/** The script of the base's second file, known by what it records. */
const SECOND_FILE = new RegExp(`insert into berth\\.ledger .*'${SECOND_VERSION}'`, "s");
/** The run lock of Berth: "BRTH" in ASCII, and 1. */
const RUN_LOCK = "select pg_advisory_lock(1112691784, 1)";
const RETRY_WHEN_HEALTHY =
  "Wait until the project is healthy in Supabase, then retry: the ledger tells whether the step is done.";

const DRIFT = {
  code: "drift",
  needed: "a database that only its recorded versions have changed",
  fix: "Undo what was changed by hand, then retry; or let a supervisor accept the difference on the run's page, with a reason.",
};

/** Of the ledger, the locks and the database as a whole. */
const OF_THE_DATABASE: Record<string, WrongSituation> = {
  "a file was edited after it was applied": {
    before: SECOND_FILE,
    async arrange({ sql }) {
      await sql(`insert into supabase_migrations.schema_migrations values ('${SECOND_VERSION}')`);
      await sql(
        "insert into berth.ledger select $1, template, template_version, repeat('0', 64), run_id from berth.ledger limit 1",
        [SECOND_VERSION],
      );
    },
    told: {
      code: "checksum_mismatch",
      found: `applied with checksum ${"0".repeat(64)}`,
      needed: /^checksum [0-9a-f]{64}$/,
      fix: "Restore the released file, and put the change into a new version.",
    },
  },
  "a version stands in the ledger that no template has": {
    isBuilt: true,
    async arrange({ sql }) {
      await sql("insert into supabase_migrations.schema_migrations values ('20200101000000')");
      await sql(
        "insert into berth.ledger select '20200101000000', template, template_version, checksum, run_id from berth.ledger limit 1",
      );
    },
    told: { ...DRIFT, found: "version 20200101000000: no template has it" },
  },
  "the database was changed by hand": {
    isBuilt: true,
    arrange: ({ sql }) => sql("alter table public.sound add column by_hand int"),
    told: { ...DRIFT, found: /by_hand/ },
  },
  "the ledger changed after the plan was made": {
    async arrange({ sql }) {
      await sql("create schema supabase_migrations");
      await sql(
        "create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text)",
      );
      await sql(`insert into supabase_migrations.schema_migrations values ('${SECOND_VERSION}')`);
    },
    told: {
      code: "plan_changed",
      found: `version ${SECOND_VERSION} has been applied since`,
      needed: "the templates and the database's ledger as they were when the plan was made",
      fix: "Look at the plan again, and retry.",
    },
  },
  "the two halves of the ledger disagree": {
    before: SECOND_FILE,
    arrange: ({ sql }) =>
      sql(`insert into supabase_migrations.schema_migrations values ('${SECOND_VERSION}')`),
    told: {
      code: "ledger_disagreement",
      found: "only supabase_migrations.schema_migrations lists it",
      needed:
        "the version in both supabase_migrations.schema_migrations and berth.ledger, or in neither",
      fix: "Find out who changed the ledger (supabase migration repair?), undo it, then retry.",
    },
  },
  "the ledger was dropped": {
    before: SECOND_FILE,
    arrange: ({ sql }) => sql("drop schema berth cascade"),
    told: {
      code: "database_not_prepared",
      found: "no schema berth",
      needed: "the schemas berth and supabase_migrations",
      fix: "Retry: a run makes them at its start. Find out who dropped them meanwhile.",
    },
  },
  "another Berth has raised the fence": {
    before: SECOND_FILE,
    arrange: ({ sql }) => sql("update berth.fence set token = token + 1000000, run_id = 'other'"),
    told: {
      code: "fence_ahead",
      found: /^token 10\d{5} of run other$/,
      needed: /^a fencing token of at most \d+$/,
      fix: "Make sure that no other Berth works on this project. If Berth's own database was restored from a backup, raise its sequence fencing_tokens above the token in berth.fence, then retry.",
    },
  },
  "another session holds the run lock": {
    arrange: async ({ session }) => (await session("deploy by hand")).query(RUN_LOCK),
    told: {
      code: "run_locked",
      found:
        /^the run lock is held by session \d+ of postgres \(deploy by hand\), connected for [\d.]+ [\w ]+: select pg_advisory_lock\(…, …\)$/,
      needed: "the run lock, which one session at a time can have",
      fix: "Wait until that session has ended, or end it; then retry.",
    },
  },
  "another session holds the row of the fence": {
    isPatient: true,
    before: SECOND_FILE,
    async arrange({ session }) {
      const other = await session("psql");
      await other.query("begin");
      await other.query("select from berth.fence for update");
    },
    told: {
      code: "lock_timeout",
      found:
        /^held up by session \d+ of postgres \(psql\), idle in transaction for [\d.]+ [\w ]+: select from berth.fence for update$/,
      needed: "a moment without a conflicting lock",
      fix: "End the other session's transaction, or retry at a quieter time.",
    },
  },
  "another session holds a table": {
    isPatient: true,
    features: ["locked"],
    before: /add column locked/,
    async arrange({ session }) {
      const other = await session("report");
      await other.query("begin");
      await other.query("select 'ann@canary.example', count(*) from public.boxes");
    },
    told: {
      code: "lock_timeout",
      found:
        /^held up by session \d+ of postgres \(report\), idle in transaction for [\d.]+ [\w ]+: select '…', count\(\*\) from public\.boxes$/,
      needed: "a moment without a conflicting lock",
      fix: "End the other session's transaction, or retry at a quieter time.",
    },
  },
  "there are tables before the first migration": {
    arrange: ({ sql }) => sql("create table public.theirs (id int)"),
    told: {
      code: "preflight_failed",
      found: "Schema public: the table theirs",
      needed: "no tables in public before the first migration",
      fix: "Move or drop the tables if nobody needs them here, or use a new project; then retry.",
    },
  },
  "the schema berth belongs to another role": {
    async arrange({ sql }) {
      await sql("create role another; grant another to postgres with inherit false");
      await sql("create schema berth authorization another");
    },
    told: {
      code: "preflight_failed",
      found: "Schema berth: the schema belongs to the role another",
      needed: "no schema berth, or one that Berth's role owns",
      fix: "Rename or drop the schema if it is not Berth's, or make the role its owner; then retry.",
    },
  },
  "the role may not create in public": {
    arrange: ({ sql }) =>
      sql("revoke create on schema public from pg_database_owner, postgres, public"),
    told: {
      code: "preflight_failed",
      found:
        "Privilege on the schema public: the role postgres may not create in the schema public",
      needed: "the privilege CREATE on the schema public",
      fix: "Grant it to the role, or supply the credentials of the role postgres; then retry.",
    },
  },
  "the server is too old": {
    features: ["future"],
    told: {
      code: "preflight_failed",
      found: /^Server version: PostgreSQL 1[78]\.\d+/,
      needed: "PostgreSQL 99 or newer",
      fix: "Upgrade the project's database in the Supabase dashboard, then retry.",
    },
  },
  "the database is read-only": {
    arrange: ({ sql }) => sql("alter database postgres set default_transaction_read_only = on"),
    told: {
      code: "preflight_failed",
      found: "Write access: a read-only database",
      needed: "a primary that takes writes",
      fix: "Free or add disk space if the disk is full, or copy the primary's connection string if this is a replica; then retry.",
    },
  },
};

/** Of the way to the database. */
const OF_THE_CONNECTION: Record<string, WrongSituation> = {
  "all connections are taken": {
    isPatient: true,
    async arrange({ sql, session }) {
      await session("others");
      await sql("alter database postgres connection limit 1");
    },
    told: {
      code: "database_login",
      found: "all connections are taken",
      needed: "a session",
      fix: "Close some of the project's connections, then try again.",
    },
  },
  "the password was changed": {
    arrange: ({ sql }) => sql("alter role postgres password 'another one'"),
    told: {
      code: "database_password",
      found: "the database refused the password",
      needed: "the database password of this project",
      fix: "Copy it again from Supabase → Settings → Database, or reset it there; then supply the credentials anew.",
    },
  },
  "nothing answers at its address": {
    isPatient: true,
    arrange: ({ proxy }) => proxy.close(),
    told: {
      code: "outbound_unreachable",
      found: /^nothing answers at 127\.0\.0\.1 port \d+$/,
      needed: "a server that accepts connections there",
      fix: "Check the address, and that the project is running; then try again.",
    },
  },
  "the project is paused": {
    arrange: async ({ berth, project, proxy }) => {
      await berth.sandbox.addFault({ kind: "paused", ref: project.ref });
      proxy.cutAll();
    },
    told: {
      code: "database_tenant",
      found: /^the pooler 127\.0\.0\.1 does not know the project [a-z]{20}$/,
      needed: "the pooler that serves the project, and a project that is running",
      fix: "Restore the project if it is paused; copy the session pooler's string again from Supabase → Connect (host names differ between regions and projects).",
    },
  },
  "its certificate is not trusted": {
    arrange: ({ impostor }) => impostor(),
    told: {
      code: "outbound_tls",
      found: "its certificate comes from an authority that Berth does not know",
      needed: "a certificate for 127.0.0.1 from an authority that Berth trusts",
      fix: "Check the address. If the project uses a private authority, the operator adds its certificate (SUPABASE_CA_FILE).",
    },
  },
  "the server is gone for good, with the answer to a COMMIT": {
    isPatient: true,
    before: SECOND_FILE,
    async arrange({ proxy }) {
      const lost = proxy.arm({ from: "server", when: "C", action: "cut-before" });
      lost.reached.then(() => proxy.close());
    },
    told: {
      code: "step_outcome_unknown",
      found: /^the connection was lost; nothing answers at 127\.0\.0\.1 port \d+$/,
      needed: "a connection over which the ledger can be read",
      fix: RETRY_WHEN_HEALTHY,
    },
  },
  "an administrator ends the session again and again": {
    features: ["terminated"],
    async beside({ session }, over) {
      const admin = await session("admin");
      while (!over.aborted) {
        await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name like 'berth:%' and wait_event = 'PgSleep'`,
        );
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    told: {
      code: "step_outcome_unknown",
      found:
        "the connection was lost 11 times; an administrator ended the session, or the server was stopped (57P01)",
      needed: "a connection over which the ledger can be read",
      fix: RETRY_WHEN_HEALTHY,
    },
  },
  "worker after worker is lost on the run": {
    async arrange({ own, requestId }) {
      const lease = () =>
        own("select lease_token from provisioning_runs where request_id = $1", [requestId]);
      const [held] = await lease();
      // Again and again: the holder's heartbeat may be faster than the next worker.
      await eventually("a take-over", async () => {
        await own(
          `update provisioning_runs set takeovers = 1000, lease_expires_at = now() - interval '1 minute'
           where request_id = $1 and lease_token = $2`,
          [requestId, held?.lease_token],
        );
        return (await lease())[0]?.lease_token !== held?.lease_token;
      });
    },
    told: {
      code: "run_too_many_takeovers",
      found: "1001 take-overs",
      needed: "a worker that lives through the run",
      fix: "Look at the workers' logs under this run's id for what ends them, then retry.",
    },
  },
};

const refusal = (feature: string, sqlstate: string, words: Omit<Told, "code" | "sqlstate">) => ({
  features: [feature],
  told: { code: "sql_step_failed", sqlstate, ...words },
});

/** What PostgreSQL refuses in a file. */
const OF_A_FILE: Record<string, WrongSituation> = {
  "a privilege is missing": refusal("no-privilege", "42501", {
    found: "permission denied for schema auth",
    needed: "a role that may do this",
    fix: "Grant the role postgres what the message names, or make it the object's owner; then retry.",
  }),
  "the disk is full": refusal("disk-full", "53100", {
    found: "could not extend file: No space left on device",
    needed: "free space on the database's disk",
    fix: "Free or add disk space in the Supabase dashboard, then retry.",
  }),
  "the memory is used up": refusal("out-of-memory", "53200", {
    found: "out of memory",
    needed: "enough memory for the statement",
    fix: "Retry at a quieter time, or give the project a larger compute size.",
  }),
  "a deadlock at every try": {
    isPatient: true,
    ...refusal("deadlock", "40P01", {
      found: "deadlock detected",
      needed: "a moment in which no other session locks the same objects in another order",
      fix: "Retry; if it happens again, stop what writes to these tables meanwhile.",
    }),
  },
  "a statement takes too long": refusal("slow", "57014", {
    found: "canceling statement due to statement timeout",
    needed: "every statement to end within 1 second",
    fix: "Retry at a quieter time; if it needs longer, release the template with a larger timeout.",
  }),
  "two rows are the same": refusal("duplicates", "23505", {
    found: "Key (email)=(…) is duplicated.",
    needed: "values that differ from row to row",
    fix: "Remove the duplicates from the table, then retry.",
  }),
  "a row lacks a value": refusal("no-value", "23502", {
    found: 'column "name" of relation "people" contains null values',
    needed: "a value in every row for which the constraint asks one",
    fix: "Fill in the rows that lack the value, or remove them, then retry.",
  }),
  "a row does not fulfil a check": refusal("unchecked", "23514", {
    found: 'check constraint "people_email" of relation "people" is violated by some row',
    needed: "rows that fulfil the check",
    fix: "Correct the rows that do not fulfil it, then retry.",
  }),
  "an object exists already": refusal("exists-already", "42P07", {
    found: 'relation "boxes" already exists',
    needed: "a database without an object of this name",
    fix: "Rename or drop the object if nobody needs it, then retry.",
  }),
  "an object is missing": refusal("missing", "42P01", {
    found: 'relation "public.nowhere" does not exist',
    needed: "the object that the statement uses",
    fix: "Find out who dropped or renamed it, put it back, then retry.",
  }),
  "an extension is not on the server": refusal("extension", "0A000", {
    found: /extension/,
    needed: "a server that has the extension",
    fix: "Upgrade the project's database, or choose features that do not need the extension.",
  }),
  "an index cannot be unique": refusal("duplicate-index", "23505", {
    found: "Key (email)=(…) is duplicated.",
    needed: "values that differ from row to row",
    fix: "Remove the duplicates from the table, then retry.",
  }),
  "an index waits for an old transaction": {
    before: /create index concurrently boxes_id/,
    async arrange({ session }) {
      const other = await session("import");
      await other.query("begin");
      await other.query("insert into public.boxes values (1)");
    },
    ...refusal("waiting-index", "57014", {
      found:
        /^canceling statement due to statement timeout; it waited for session \d+ of postgres \(import\), idle in transaction for [\d.]+ [\w ]+: insert into public\.boxes values \(…\)$/,
      needed: "every statement to end within 4 seconds",
      fix: "Retry at a quieter time; if it needs longer, release the template with a larger timeout.",
    }),
  },
  "a file leaves its role": {
    features: ["role-escape"],
    told: {
      code: "step_escaped",
      found: "the role changed",
      needed: "the same transaction and role from the first statement to the last",
      fix: "Release a version of the template without it, and compare the database with a clean one: what ran before a COMMIT stays.",
    },
  },
};

const ALL = Object.entries({ ...OF_THE_DATABASE, ...OF_THE_CONNECTION, ...OF_A_FILE });

/** By name; first those whose run is patient for a minute. */
export const WRONG_SITUATIONS: readonly [string, WrongSituation][] = ALL.sort(
  ([, a], [, b]) => Number(b.isPatient ?? false) - Number(a.isPatient ?? false),
);

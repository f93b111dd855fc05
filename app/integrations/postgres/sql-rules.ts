/** What the wall found, why it may not run, and what to write instead. */
export interface Finding {
  found: string;
  reason: string;
  fix: string;
}

/** Schemas of Berth's own books: nothing in a template may so much as name a table of theirs. */
export const LEDGER_SCHEMAS = new Set(["berth", "supabase_migrations"]);

/**
 * Schemas in which Supabase's `postgres` may create nothing, or which belong to a service that
 * expects them unchanged.
 */
export const PLATFORM_SCHEMAS = new Set(
  (
    "auth storage realtime _realtime _analytics vault graphql graphql_public extensions pgsodium " +
    "pgsodium_masks pgbouncer supabase_functions net cron pg_catalog information_schema pg_toast"
  ).split(" "),
);

/** Whether a template may not write to this schema. */
export function isProtected(schema: string | undefined): boolean {
  return schema !== undefined && (PLATFORM_SCHEMAS.has(schema) || LEDGER_SCHEMAS.has(schema));
}

const FORBIDDEN_FUNCTIONS = new Set(
  (
    "pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_promote " +
    "pg_read_file pg_read_binary_file pg_stat_file pg_file_write pg_switch_wal " +
    "query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml xpath_table " +
    "ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4 crosstab_hash connectby pg_create_logical_replication_slot " +
    "pg_create_physical_replication_slot pg_drop_replication_slot pg_export_snapshot"
  ).split(" "),
);

const LARGE_OBJECT =
  /^(lo_(creat|create|open|close|import|export|from_bytea|get|put|truncate|truncate64|unlink|lseek|lseek64|tell|tell64|manage)|loread|lowrite)$/;

/**
 * Whether a function may not be called: advisory locks (the run holds one, and
 * `pg_advisory_unlock_all()` would let it go), other sessions, the server's files, other
 * databases, and functions that run SQL given as text, which no parser sees.
 */
export function isForbiddenFunction(name: string): boolean {
  return (
    /^pg_(try_)?advisory_|^pg_ls_|^dblink/.test(name) ||
    LARGE_OBJECT.test(name) ||
    FORBIDDEN_FUNCTIONS.has(name)
  );
}

/** Why a function may not be called, by its name. */
export function functionFinding(name: string): Finding {
  if (name.includes("advisory_")) {
    return {
      found: `${name}()`,
      reason: "advisory locks keep two runs apart, and a template could release them",
      fix: "Lock a row (SELECT … FOR UPDATE) instead.",
    };
  }
  if (LARGE_OBJECT.test(name)) {
    return {
      found: `${name}()`,
      reason: "large objects stand outside all schemas, and some reach the server's files",
      fix: "Keep bytes in a column of type bytea, or files in Storage.",
    };
  }
  return {
    found: `${name}()`,
    reason: "it reaches other sessions, files or databases, or runs SQL that no parser has seen",
    fix: "Write the template without it.",
  };
}

const SETTABLE = new Set(
  (
    "search_path check_function_bodies client_min_messages work_mem maintenance_work_mem timezone " +
    "datestyle intervalstyle bytea_output extra_float_digits xmloption row_security " +
    "default_tablespace default_table_access_method"
  ).split(" "),
);

/** Whether a setting may be changed with SET LOCAL or set_config. Names are in lower case. */
export function isSettable(name: string): boolean {
  return SETTABLE.has(name) || (name.includes(".") && !name.startsWith("berth."));
}

const TRANSACTION: Finding = {
  found: "transaction control",
  reason: "the runner commits the file and its ledger row together",
  fix: "Remove it: every file already runs in one transaction.",
};
const SESSION: Finding = {
  found: "a change of the session's state",
  reason: "it would outlive the file and reach the next one",
  fix: "Remove it.",
};
const ROLES: Finding = {
  found: "a change of roles or role memberships",
  reason: "roles belong to the project, not to a template",
  fix: "Use the roles anon, authenticated and service_role as they are.",
};
const SERVER: Finding = {
  found: "a change of the server or of another database",
  reason: "a template changes nothing outside its own schema",
  fix: "Remove it.",
};
const FOREIGN: Finding = {
  found: "access to another server or an untrusted language",
  reason: "a template's effects must stay in its own transaction",
  fix: "Remove it.",
};

/** Statements that are refused wherever they stand, by the parser's name for them. */
export const FORBIDDEN_STATEMENTS: Readonly<Record<string, Finding>> = {
  TransactionStmt: TRANSACTION,
  PrepareStmt: SESSION,
  ExecuteStmt: SESSION,
  DeallocateStmt: SESSION,
  DeclareCursorStmt: SESSION,
  ListenStmt: SESSION,
  UnlistenStmt: SESSION,
  DiscardStmt: SESSION,
  LoadStmt: SERVER,
  CreateRoleStmt: ROLES,
  AlterRoleStmt: ROLES,
  AlterRoleSetStmt: ROLES,
  DropRoleStmt: ROLES,
  GrantRoleStmt: ROLES,
  ReassignOwnedStmt: ROLES,
  DropOwnedStmt: ROLES,
  AlterOwnerStmt: ROLES,
  AlterSystemStmt: { ...SERVER, found: "ALTER SYSTEM" },
  AlterDefaultPrivilegesStmt: {
    found: "ALTER DEFAULT PRIVILEGES",
    reason: "it reaches what other templates and the customer create later",
    fix: "Grant and revoke on each object right after it is created.",
  },
  CreatedbStmt: SERVER,
  DropdbStmt: SERVER,
  AlterDatabaseStmt: SERVER,
  AlterDatabaseSetStmt: SERVER,
  AlterDatabaseRefreshCollStmt: SERVER,
  CreateTableSpaceStmt: SERVER,
  DropTableSpaceStmt: SERVER,
  AlterTableSpaceOptionsStmt: SERVER,
  CheckPointStmt: SERVER,
  CreateSubscriptionStmt: FOREIGN,
  AlterSubscriptionStmt: FOREIGN,
  DropSubscriptionStmt: FOREIGN,
  CreateFdwStmt: FOREIGN,
  AlterFdwStmt: FOREIGN,
  CreateForeignServerStmt: FOREIGN,
  AlterForeignServerStmt: FOREIGN,
  CreateForeignTableStmt: FOREIGN,
  CreateUserMappingStmt: FOREIGN,
  AlterUserMappingStmt: FOREIGN,
  DropUserMappingStmt: FOREIGN,
  ImportForeignSchemaStmt: FOREIGN,
  CreatePLangStmt: FOREIGN,
  CreateTransformStmt: FOREIGN,
  CreateEventTrigStmt: { ...SERVER, found: "an event trigger" },
  AlterEventTrigStmt: { ...SERVER, found: "an event trigger" },
  CopyStmt: {
    found: "COPY",
    reason: "it reads or writes files, programs or the connection itself",
    fix: "Use INSERT … VALUES.",
  },
};

export const FORBIDDEN_EXTENSIONS = new Set(
  (
    "dblink postgres_fdw file_fdw plpython3u plperlu pltclu plperl pltcl plv8 adminpack " +
    "http pg_net pg_cron tablefunc xml2 lo"
  ).split(" "),
);

export const FOREIGN_FINDING = FOREIGN;
export const TRANSACTION_FINDING = TRANSACTION;
export const SESSION_FINDING = SESSION;
export const SERVER_FINDING = SERVER;

/** Its rule for UPDATE changes settings, and a view of it would pass that on. */
export const PG_SETTINGS_FINDING: Finding = {
  found: "pg_settings",
  reason: "an UPDATE of it changes the runner's own limits",
  fix: "Read a setting with current_setting('name').",
};

const CLOSES_TABLE =
  "it closes the table to everyone, and whoever comes while it waits for others waits behind it";

/** What no file without a transaction may hold: such a file waits for its lock without a limit. */
export const CLOSING = {
  vacuumFull: {
    found: "VACUUM FULL",
    reason: CLOSES_TABLE,
    fix: "Write VACUUM without FULL, or have the table rewritten by hand at a quiet time.",
  },
  reindex: {
    found: "REINDEX without CONCURRENTLY",
    reason: CLOSES_TABLE,
    fix: "Write REINDEX TABLE CONCURRENTLY or REINDEX INDEX CONCURRENTLY.",
  },
  cluster: {
    found: "CLUSTER in a file without a transaction",
    reason: CLOSES_TABLE,
    fix: "Cluster one table, in a file without `transaction=none`: there the wait is limited.",
  },
} satisfies Record<string, Finding>;

/** A change of role, named by the statement that makes it. */
export function roleFinding(found: string): Finding {
  return { ...ROLES, found };
}

/** A change in a schema that is not the template's. */
export function protectedSchemaFinding(schema: string): Finding {
  if (LEDGER_SCHEMAS.has(schema)) {
    return {
      found: `the schema ${schema}`,
      reason: "it holds the record of what has been applied",
      fix: "Leave it to the runner.",
    };
  }
  return {
    found: `a change in the schema ${schema}`,
    reason: "it belongs to Supabase, whose role postgres may not change it",
    fix: "Create the object in a schema of the template, for example public.",
  };
}

/** A setting that a template may not change. */
export function settingFinding(name: string): Finding {
  return {
    found: `setting ${name}`,
    reason: "the runner's own limits, role and identity must hold for the whole file",
    fix: "Remove it. What may be set, with SET LOCAL: search_path, work_mem, row_security and the like.",
  };
}

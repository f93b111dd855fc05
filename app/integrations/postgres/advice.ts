/**
 * What a person needs and does when PostgreSQL refuses, by SQLSTATE. Codes and classes:
 * PostgreSQL's documentation, appendix "PostgreSQL Error Codes".
 */

/** The needed and the fix of a refusal. */
interface Advice {
  needed: string;
  fix: string;
}

const ADVICE: Readonly<Record<string, Advice>> = {
  // Class 23: the customer's rows contradict a constraint.
  "23502": {
    needed: "a value in every row for which the constraint asks one",
    fix: "Fill in the rows that lack the value, or remove them, then retry.",
  },
  "23503": {
    needed: "rows that refer only to rows which exist",
    fix: "Correct or remove the rows that refer to nothing, then retry.",
  },
  "23505": {
    needed: "values that differ from row to row",
    fix: "Remove the duplicates from the table, then retry.",
  },
  "23514": {
    needed: "rows that fulfil the check",
    fix: "Correct the rows that do not fulfil it, then retry.",
  },
  "23P01": {
    needed: "rows that do not exclude each other",
    fix: "Correct the rows that overlap, then retry.",
  },
  "25006": {
    needed: "a database that takes writes",
    fix: "Free or add disk space if it is full, and turn default_transaction_read_only off; then retry.",
  },
  "25P03": {
    needed: "a session that lasts for the whole step",
    fix: "Retry; if it happens again, raise idle_in_transaction_session_timeout of the project.",
  },
  "2BP01": {
    needed: "an object on which nothing else depends",
    fix: "Move or drop what depends on it, then retry.",
  },
  "2D000": {
    needed: "a file and procedures that leave the transaction to Berth",
    fix: "Release a version of the template in which no procedure commits or rolls back.",
  },
  "40001": {
    needed: "a moment without other writers of the same rows",
    fix: "Retry at a quieter time.",
  },
  "40P01": {
    needed: "a moment in which no other session locks the same objects in another order",
    fix: "Retry; if it happens again, stop what writes to these tables meanwhile.",
  },
  "42501": {
    needed: "a role that may do this",
    fix: "Grant the role postgres what the message names, or make it the object's owner; then retry.",
  },
  "53100": {
    needed: "free space on the database's disk",
    fix: "Free or add disk space in the Supabase dashboard, then retry.",
  },
  "53200": {
    needed: "enough memory for the statement",
    fix: "Retry at a quieter time, or give the project a larger compute size.",
  },
  "53300": {
    needed: "a free connection",
    fix: "Close some of the project's connections, or raise its limit; then retry.",
  },
  "55006": {
    needed: "an object that no other session is using",
    fix: "End the sessions that use it, then retry.",
  },
  "57014": {
    needed: "a statement that nobody cancels",
    fix: "Find out who cancelled it, then retry.",
  },
  "58P01": {
    needed: "a server that has the extension",
    fix: "Upgrade the project's database, or choose features that do not need the extension.",
  },
};

const OBJECT_EXISTS: Advice = {
  needed: "a database without an object of this name",
  fix: "Rename or drop the object if nobody needs it, then retry.",
};
const OBJECT_MISSING: Advice = {
  needed: "the object that the statement uses",
  fix: "Find out who dropped or renamed it, put it back, then retry.",
};
const SERVER_STOPPED: Advice = {
  needed: "a database that keeps running",
  fix: "Wait until the project is healthy in Supabase, then retry.",
};

const LISTS: readonly [codes: string, advice: Advice][] = [
  ["42P03 42P04 42P05 42P06 42P07 42701 42710 42712 42723", OBJECT_EXISTS],
  ["3D000 3F000 42P01 42P02 42703 42704 42883", OBJECT_MISSING],
  ["57P01 57P02 57P03 57P05", SERVER_STOPPED],
];

const CLASSES: Readonly<Record<string, Advice>> = {
  "08": SERVER_STOPPED,
  "0A": {
    needed: "a server that can do what the statement asks",
    fix: "Upgrade the project's database, or choose features that do not need it.",
  },
  "22": {
    needed: "values that the statement can work with",
    fix: "Correct the rows whose values it cannot take, then retry.",
  },
  "23": {
    needed: "rows that fulfil the constraint",
    fix: "Correct the rows that do not fulfil it, then retry.",
  },
  "42": {
    needed: "a statement that this database can run",
    fix: "Correct the file in a new version of the template, or the database; then retry.",
  },
  "53": {
    needed: "more of the server's resources",
    fix: "Look at the project's disk, memory and connections in Supabase, then retry.",
  },
  "54": {
    needed: "a statement within the server's limits",
    fix: "Split the statement in a new version of the template.",
  },
  "57": SERVER_STOPPED,
  "58": {
    needed: "a server whose disk and files are sound",
    fix: "Look at the project's health in Supabase, then retry.",
  },
  XX: {
    needed: "a server without an error of its own",
    fix: "Look at the server's log; if it speaks of damage, ask Supabase's support before you retry.",
  },
};

const BY_CODE = new Map([
  ...Object.entries(ADVICE),
  ...LISTS.flatMap(([codes, advice]) => codes.split(" ").map((code) => [code, advice] as const)),
]);

/** What PostgreSQL says when an extension is not installed on the machine: 58P01, or 0A000. */
const EXTENSION = /extension/i;

/**
 * Advice for a refusal; undefined where the code alone says too little. `limitMs`: the longest
 * time that each statement had, in milliseconds.
 */
export function adviceFor(sqlstate: string, message: string, limitMs?: number): Advice | undefined {
  if (sqlstate === "57014" && /timeout/.test(message)) {
    return {
      needed: `every statement to end within ${limitMs ? inSeconds(limitMs) : "its time limit"}`,
      fix: "Retry at a quieter time; if it needs longer, release the template with a larger timeout.",
    };
  }
  if (sqlstate === "0A000" && EXTENSION.test(message)) return BY_CODE.get("58P01");
  return BY_CODE.get(sqlstate) ?? CLASSES[sqlstate.slice(0, 2)];
}

function inSeconds(ms: number): string {
  return ms === 1_000 ? "1 second" : `${ms / 1_000} seconds`;
}

/**
 * Whether a refusal may pass without anybody changing anything: contention, resources, a server
 * that stops. Not a full disk, nor a statement that took too long or was cancelled.
 */
export function mayPass(sqlstate: string): boolean {
  return /^(?:40|53(?!100)|55P03|57P|58(?!P))/.test(sqlstate);
}

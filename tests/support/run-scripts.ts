/** The scripts that a run sends to the customer's database, told apart by their text. */
import { loadCatalog } from "../../app/domain/catalog/index.server.ts";
import { type PlannedStep, planRun } from "../../app/domain/provisioning/plan.ts";
import { newCustomer } from "./berth.ts";
import { queryText } from "./pg-messages.ts";
import type { MessageTest } from "./proxy.ts";

export interface Script {
  name: string;
  /** The name of the step that sends it. */
  step: string;
  /** By which the ledger knows what it applies. */
  key?: string;
  /** What it is: the runner's own, a file's, or that of a statement outside a transaction. */
  kind: "own" | "migration" | "seed" | "note" | "alone" | "proof";
  is: (sql: string) => boolean;
  /** The table whose lock makes it wait at work, and in which mode; none if it cannot wait. */
  waitsFor?: { table: string; mode: string };
}

/** Tells the run's own sessions from those by which the web process looks at the database. */
export const isOfRun: MessageTest = (_message, { application }) => application.startsWith("berth:");

/** Tells the script among the messages of a proxy. */
export const matches =
  (script: Script): MessageTest =>
  (message, session) => {
    const sql = queryText(message);
    return sql !== null && isOfRun(message, session) && script.is(sql);
  };

/** The first and the last script of a preflight; what lies between only reads. */
export const LOCKING = "taking the run lock";
export const PREPARING = "preparing the schemas";

const LEDGER = { table: "berth.ledger", mode: "exclusive" };

/** The scripts that apply one file. */
function scriptsOf(step: PlannedStep, alone: string | null): Script[] {
  const key = step.kind === "seed" ? `seed:${step.template}` : step.ledgerVersion;
  const recording =
    "insert into berth.ledger (version, template, template_version, checksum, run_id) " +
    `values ('${key}'`;
  const name = step.file ?? step.name;
  const of = { step: step.name, key };
  const records = (sql: string) => sql.includes(recording);
  if (alone === null) {
    const kind = step.kind === "seed" ? "seed" : "migration";
    return [{ ...of, name, kind, is: records, waitsFor: LEDGER }];
  }
  return [
    {
      ...of,
      name: `${name}, its note`,
      kind: "note",
      is: (sql) => sql.includes("insert into berth.unfinished") && sql.includes(`'${key}'`),
      waitsFor: { table: "berth.unfinished", mode: "exclusive" },
    },
    {
      ...of,
      name: `${name}, its statement`,
      kind: "alone",
      is: (sql) => sql.includes(alone) && !records(sql),
      // CONCURRENTLY waits for every transaction that has written to the table.
      waitsFor: { table: "public.products", mode: "row exclusive" },
    },
    { ...of, name: `${name}, its proof`, kind: "proof", is: records, waitsFor: LEDGER },
  ];
}

/** What a run with these features consists of. */
export async function plannedRun(
  features: readonly string[],
): Promise<{ steps: PlannedStep[]; scripts: Script[] }> {
  const catalog = await loadCatalog("feature-templates");
  const { steps } = planRun(catalog, features);
  const own = (step: PlannedStep["kind"], name: string, mark: string): Script => ({
    name,
    step: steps.find(({ kind }) => kind === step)?.name ?? step,
    kind: "own",
    is: (sql) => sql.includes(mark),
  });
  const checks = catalog.get("base").checks?.statements[0]?.sql;
  if (checks === undefined) throw new Error("The base template has no checks.");
  return {
    steps,
    scripts: [
      own("preflight", LOCKING, "berth.locked', 'on'"),
      own("preflight", PREPARING, "$berth_prepare$"),
      ...steps
        .filter(({ file }) => file !== undefined)
        .flatMap((step) => {
          const template = catalog.get(step.template ?? "");
          const file = template.migrations.find(({ path }) => path === step.file);
          const isAlone = file !== undefined && !file.transactional;
          return scriptsOf(step, isAlone ? (file.statements[0]?.sql ?? null) : null);
        }),
      own("health", "health checks", checks),
    ],
  };
}

/** The scripts whose COMMIT makes a file's effect, or the note of an attempt, last. */
export async function committingScripts(): Promise<Script[]> {
  const { scripts } = await plannedRun(newCustomer().features);
  return scripts.filter(({ key, kind }) => key !== undefined && kind !== "alone");
}

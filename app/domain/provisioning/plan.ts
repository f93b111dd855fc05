import { createHash } from "node:crypto";
import { effectsOn } from "#app/integrations/postgres/effects-on-survey.ts";
import { type LedgerRow, ledgerKeyOf } from "#app/integrations/postgres/ledger.ts";
import { DEFAULT_LIMITS } from "#app/integrations/postgres/run-context.ts";
import type { DatabaseSurvey } from "#app/integrations/postgres/survey.ts";
import type { PLANNED, PlanBasis, STEP_KINDS, StepEffects } from "#db/provisioning.ts";
import {
  type Catalog,
  filesFor,
  type Template,
  type TemplateFile,
} from "../catalog/index.server.ts";
import { bucketSteps } from "./project-buckets.ts";
import { aboutOf } from "./step-about.ts";

/** Whether a file is in the ledger: not yet, as it is, or as something else. */
export type Planned = (typeof PLANNED)[number];

/** One step of a run, as it is planned. */
export interface PlannedStep {
  name: string;
  kind: (typeof STEP_KINDS)[number];
  template?: string;
  file?: string;
  ledgerVersion?: string;
  checksum?: string;
  /** Of a bucket and of Auth: what it is set to, in words. */
  about?: string;
  /** Of a file, where the database was looked at. */
  planned?: Planned;
  /** Of a file: on what exists. */
  effects?: StepEffects;
  /** The median of earlier runs of the same step, in milliseconds; null where there is none. */
  expectedMs?: number | null;
}

/** What a run will do, before it does it. Plain data: it goes to pages and callers as it is. */
export interface RunPlan {
  /** Template name → version. */
  templates: Record<string, string>;
  steps: PlannedStep[];
  /** Versions in the database's ledger that no template has. */
  strangers: string[];
  /** Null where nobody has looked at the database yet. */
  basis: PlanBasis | null;
}

/**
 * The steps that build a backend with these features, in order: preflight, base schema, features
 * after what they need, storage buckets, auth configuration, row-level-security policies, seed data, owner, health.
 * With a survey of the database also what is applied already and what the others do to what exists.
 * What is pending is the set of files less those in the ledger, whatever the order of versions: a file
 * that serves another template becomes pending once that one is there too.
 * @throws UnknownTemplateError
 */
export function planRun(
  catalog: Catalog,
  features: readonly string[],
  survey: DatabaseSurvey | null = null,
): RunPlan {
  const ordered = catalog.order([...features]);
  const judge = createJudge(survey);
  const nameStep = createNamer();
  const files = (phase: "schema" | "policies") =>
    ordered.flatMap((template) =>
      filesFor(template, ordered)
        .filter((file) => file.phase === phase)
        .map((file) => fileStep(template, file, "sql", { judge, nameStep })),
    );
  const plan = {
    templates: Object.fromEntries(ordered.map(({ name, version }) => [name, version])),
    steps: [
      { name: "Preflight", kind: "preflight" } as const,
      ...files("schema"),
      ...[
        ...bucketSteps(ordered),
        { name: "Auth configuration", kind: "auth-config" } as const,
      ].map((step) => ({ ...step, ...aboutOf(ordered, step) })),
      ...files("policies"),
      ...ordered.flatMap((template) =>
        template.seed ? [fileStep(template, template.seed, "seed", { judge, nameStep })] : [],
      ),
      { name: "Owner account", kind: "owner" } as const,
      { name: "Health check", kind: "health" } as const,
    ],
    strangers: survey ? strangersIn(catalog, survey.ledger) : [],
  };
  return { ...plan, basis: survey && basisOf(plan, survey) };
}

/** The key of a file in the ledger: its version, or `seed:<template>`. */
const keyOf = (template: Template, file: TemplateFile) =>
  ledgerKeyOf({
    kind: file.phase === "seed" ? "seed" : "migration",
    template: template.name,
    version: file.version,
  });

function fileStep(
  template: Template,
  file: TemplateFile,
  kind: "sql" | "seed",
  { judge, nameStep }: { judge: Judge; nameStep: (name: string) => string },
): PlannedStep {
  const what = kind === "seed" ? "seed data" : file.name.replaceAll("_", " ");
  const { title } = template;
  return {
    // A file may go by its template's own name.
    name: nameStep(what === title.toLowerCase() ? title : `${title}: ${what}`),
    kind,
    template: template.name,
    file: file.path,
    ledgerVersion: file.version,
    checksum: file.checksum,
    ...judge(template, file),
  };
}

/** Steps are told apart by their names: of files that share one, the later are numbered. */
function createNamer(): (name: string) => string {
  const taken = new Map<string, number>();
  return (name) => {
    const number = (taken.get(name) ?? 0) + 1;
    taken.set(name, number);
    return number === 1 ? name : `${name} ${number}`;
  };
}

type Judge = (template: Template, file: TemplateFile) => Pick<PlannedStep, "planned" | "effects">;

/** Judges the files of a plan, one after another. */
function createJudge(survey: DatabaseSurvey | null): Judge {
  const ledger = new Map(survey?.ledger.map((row) => [row.version, row]));
  const unlisted = new Set(survey?.unlisted);
  // Where nobody has looked, what an earlier file makes is all that is known not to exist yet.
  const made = new Set<string>();
  return (template, file) => {
    const isSplit = unlisted.has(keyOf(template, file));
    const found = isSplit ? "differs" : standingOf(template, file, ledger);
    const planned = survey ? found : undefined;
    const facts = {
      statements: file.statements.length,
      transactional: file.transactional,
      timeoutMs: file.timeoutMs ?? DEFAULT_LIMITS.statementTimeoutMs,
    };
    const rest = planned === undefined ? {} : { planned };
    if (planned === "applied" || planned === "differs") {
      return { ...rest, effects: { ...facts, locks: [], rewrites: [], unseen: [] } };
    }
    if (survey) return { ...rest, effects: { ...facts, ...effectsOn(file.effects, survey) } };
    for (const name of file.effects.creates) made.add(name);
    const isOlder = ({ relation }: { relation: string }) => !made.has(relation);
    const { locks, rewrites, unseen } = file.effects;
    const effects = { locks: locks.filter(isOlder), rewrites: rewrites.filter(isOlder), unseen };
    return { ...rest, effects: { ...facts, ...effects } };
  };
}

function standingOf(
  template: Template,
  file: TemplateFile,
  ledger: ReadonlyMap<string, LedgerRow>,
): Planned {
  const row = ledger.get(keyOf(template, file));
  if (!row) return "apply";
  if (row.checksum === file.checksum) return "applied";
  // A released seed may change with its template's version: it is idempotent and runs again.
  const isReplaceable = file.phase === "seed" && row.templateVersion !== template.version;
  return isReplaceable ? "apply" : "differs";
}

function strangersIn(catalog: Catalog, ledger: readonly LedgerRow[]): string[] {
  const known = new Set(
    catalog.templates.flatMap((template) =>
      [...template.migrations, ...(template.seed ? [template.seed] : [])].map((file) =>
        keyOf(template, file),
      ),
    ),
  );
  return ledger.map(({ version }) => version).filter((version) => !known.has(version));
}

function basisOf(plan: Omit<RunPlan, "basis">, survey: DatabaseSurvey): PlanBasis {
  const rows = survey.ledger.map(({ version, checksum }) => [version, checksum] as const);
  const facts = {
    serverVersion: survey.serverVersion,
    isFresh: survey.isFresh,
    applied: Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  const digest = createHash("sha256")
    .update(JSON.stringify([plan, facts]))
    .digest("hex");
  return { digest, surveyedAt: new Date().toISOString(), ...facts };
}

import { and, asc, eq, gt } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import { provisioningQueue } from "#db/queue.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import {
  type Catalog,
  type CustomerFacts,
  completeAnswers,
  presetOf,
  type Template,
} from "../catalog/index.server.ts";
import {
  RequestNotFoundError,
  type RequestRow,
  readSeen,
  type Seen,
} from "../queue/index.server.ts";
import { templatesOf } from "./offers.ts";
import { type SettingsOfFeature, toFields } from "./settings.ts";
import { type ToldAnswers, tellAnswers } from "./tell-answers.ts";

/** What a request's features ask, and what is answered. */
export interface AskedSettings {
  /** In the order of installation; those that ask nothing are left out. */
  features: AskedFeature[];
  facts: CustomerFacts;
}

interface AskedFeature {
  template: Template;
  /** To what it asks today. */
  answers: Record<string, string>;
  /** The project has them, or may have them: its seed alone reads them, and does so once. */
  isBuiltIn: boolean;
  /**
   * Whether they can be corrected. What is built in can be only where the feature does not take it
   * any more: it stops every run, although no run would read it again.
   */
  isOpen: boolean;
}

/** What a request's features ask, its answers, and which of them can still be corrected. */
export async function readAsked(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  request: RequestRow,
): Promise<AskedSettings> {
  const [customer] = await tx
    .select({ company: customers.company, timeZone: customers.timezone })
    .from(customers)
    .where(eq(customers.id, request.customerId));
  if (!customer) throw new Error("A request without a customer.");
  // As a run sees it: what the country makes likely is for the customer to confirm.
  const facts = { ...customer, country: "" };
  const builtIn = await builtInTemplates(tx, request.id);
  const features = templatesOf(catalog, request.features)
    .filter(({ parameters }) => parameters.length > 0)
    .map((template): AskedFeature => {
      const asked = new Set(template.parameters.map(({ name }) => name));
      const given = Object.entries(request.parameters[template.name] ?? {});
      const answers = Object.fromEntries(given.filter(([name]) => asked.has(name)));
      const isBuiltIn = builtIn.has(template.name);
      const { problems } = completeAnswers([template], { [template.name]: answers }, facts);
      return { template, answers, isBuiltIn, isOpen: !isBuiltIn || problems.length > 0 };
    });
  return { features, facts };
}

/** By Berth's record of steps, which follows the ledger of the request's present project. */
async function builtInTemplates(tx: Tx, requestId: string): Promise<Set<string>> {
  const backend = await liveBackendOf(tx, requestId);
  if (!backend) return new Set();
  const seeds = await tx
    .select({ step: provisioningSteps })
    .from(provisioningSteps)
    .innerJoin(provisioningRuns, eq(provisioningRuns.id, provisioningSteps.runId))
    .innerJoin(customerBackends, eq(customerBackends.id, provisioningRuns.backendId))
    .where(
      and(
        eq(provisioningRuns.requestId, requestId),
        // The project may have been given up for another one, and be back.
        eq(customerBackends.projectRef, backend.projectRef),
        eq(provisioningSteps.kind, "seed"),
        gt(provisioningSteps.attempts, 0),
      ),
    )
    .orderBy(asc(provisioningRuns.id));
  const done = seeds.filter(({ step }) => step.status === "done");
  // A later run has found out what an earlier one left open.
  const newest = new Map(seeds.map(({ step }) => [step.template, step]));
  const open = [...newest.values()].filter(
    ({ outcome, error }) =>
      outcome?.outcome === "unknown" || error?.code === "step_outcome_unknown",
  );
  const templates = [...done.map(({ step }) => step.template), ...open.map((one) => one.template)];
  return new Set(templates.filter((name) => name !== null));
}

/** What the page of a correction shows. */
export interface CorrectionView {
  seen: Seen;
  /** What can be corrected. */
  open: (SettingsOfFeature & { isBuiltIn: boolean })[];
  /** What is built in, and so cannot. */
  closed: ToldAnswers[];
  /** What amounts of money are in; empty where nobody has said. */
  currency: string;
}

/** @throws RequestNotFoundError */
export async function viewCorrection(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  requestId: string,
): Promise<CorrectionView> {
  const seen = await readSeen(tx, requestId);
  const [request] = await tx
    .select()
    .from(provisioningQueue)
    .where(eq(provisioningQueue.id, requestId));
  if (!request) throw new RequestNotFoundError();
  const { features, facts } = await readAsked({ tx, catalog }, request);
  const closed = new Set(
    features.filter(({ isOpen }) => !isOpen).map(({ template }) => template.name),
  );
  return {
    seen,
    open: features
      .filter(({ isOpen }) => isOpen)
      .map(({ template, answers, isBuiltIn }) => ({
        isBuiltIn,
        ...toFields(template, (asked) => answers[asked.name] ?? presetOf(asked, facts) ?? ""),
      })),
    closed: tellAnswers(catalog, request.parameters).filter(({ template }) => closed.has(template)),
    currency: request.parameters.base?.currency ?? "",
  };
}

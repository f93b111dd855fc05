import { and, asc, eq, gt } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import type { Tx } from "#db/index.ts";
import { provisioningRuns, provisioningSteps } from "#db/provisioning.ts";
import { provisioningQueue } from "#db/queue.ts";
import { liveBackendOf } from "../backends/index.server.ts";
import { type Catalog, presetOf, type Template } from "../catalog/index.server.ts";
import {
  type Given as Answered,
  answeredTo,
  answersFor,
  effectOf,
  givenOf,
} from "../provisioning/index.server.ts";
import {
  RequestNotFoundError,
  type RequestRow,
  readSeen,
  type Seen,
} from "../queue/index.server.ts";
import { templatesOf } from "./offers.ts";
import { type SettingsOfFeature, toFields } from "./settings.ts";
import { type ToldAnswers, tellAnswers } from "./tell-answers.ts";

/** What a request's features ask, and what is answered, as a run sees it. */
export interface AskedSettings extends Answered {
  /** In the order of installation; those that ask nothing are left out. */
  features: AskedFeature[];
}

/**
 * Whether the project has a feature's answers. `built`: its seed alone reads them, and does not run
 * again; `earlier`: a seed of another version has read them, or may have, and the present one is
 * still to run; `unknown`: nobody can say whether the present one is there.
 */
type InProject = "no" | "earlier" | "built" | "unknown";

interface AskedFeature {
  template: Template;
  /** To what it asks today. */
  answers: Record<string, string>;
  /** The project has them, or may have them. */
  isBuiltIn: boolean;
  /**
   * Why they cannot be corrected; null where they can. What is built in can be only where the
   * feature does not take it any more: it stops every run, although no run would read it again.
   */
  closed: "built" | "unknown" | null;
}

/** What a request's features ask, its answers, and which of them can still be corrected. */
export async function readAsked(
  { tx, catalog }: { tx: Tx; catalog: Catalog },
  { id, features: chosen }: Pick<RequestRow, "id" | "features">,
): Promise<AskedSettings> {
  const given = await givenOf(tx, id);
  const seeds = await seedsOf(tx, id);
  const features = templatesOf(catalog, chosen)
    .filter(({ parameters }) => parameters.length > 0)
    .map((template): AskedFeature => {
      const own = seeds.filter((step) => step.template === template.name);
      const inProject = standingIn(own, template.seed?.checksum);
      const { problems } = answersFor(catalog, [template.name], given);
      const isReadAgain = inProject === "no" || inProject === "earlier";
      return {
        template,
        answers: answeredTo(template, given.parameters),
        isBuiltIn: inProject !== "no",
        closed: isReadAgain || problems.length > 0 ? null : inProject,
      };
    });
  return { ...given, features };
}

type Step = typeof provisioningSteps.$inferSelect;

/** The seeds that runs have begun in the request's present project, oldest first. */
async function seedsOf(tx: Tx, requestId: string): Promise<Step[]> {
  const backend = await liveBackendOf(tx, requestId);
  if (!backend) return [];
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
  return seeds.map(({ step }) => step);
}

/** By Berth's record of a feature's seeds, oldest first, and the checksum of its present one. */
function standingIn(seeds: readonly Step[], checksum: string | undefined): InProject {
  let done: Step | null = null;
  let perhaps: Step | null = null;
  for (const step of seeds) {
    const effect = effectOf(step);
    if (effect === "done") done = step;
    if (effect !== null) perhaps = effect === "unknown" ? step : null;
  }
  if (done && done.checksum === checksum) return "built";
  if (perhaps && perhaps.checksum === checksum) return "unknown";
  return done || perhaps ? "earlier" : "no";
}

/** What the page of a correction shows. */
export interface CorrectionView {
  seen: Seen;
  /** What can be corrected; `isBuiltIn` where the project has it all the same, or may have it. */
  open: (SettingsOfFeature & { isBuiltIn: boolean })[];
  /** What is built in, and so cannot. */
  closed: ToldAnswers[];
  /** What may be built in, which the next run finds out. */
  unknown: ToldAnswers[];
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
    .select({ id: provisioningQueue.id, features: provisioningQueue.features })
    .from(provisioningQueue)
    .where(eq(provisioningQueue.id, requestId));
  if (!request) throw new RequestNotFoundError();
  const { features, facts, parameters } = await readAsked({ tx, catalog }, request);
  const told = tellAnswers(catalog, parameters);
  const closedAs = (why: AskedFeature["closed"]) =>
    told.filter((one) =>
      features.some(({ template, closed }) => template.name === one.template && closed === why),
    );
  return {
    seen,
    open: features
      .filter(({ closed }) => closed === null)
      .map(({ template, answers, isBuiltIn }) => ({
        isBuiltIn,
        ...toFields(template, (asked) => answers[asked.name] ?? presetOf(asked, facts) ?? ""),
      })),
    closed: closedAs("built"),
    unknown: closedAs("unknown"),
    currency: parameters.base?.currency ?? "",
  };
}

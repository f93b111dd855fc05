import { eq } from "drizzle-orm";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import {
  type AnswerProblem,
  type Catalog,
  type CustomerFacts,
  completeAnswers,
  settingsOf,
  type Template,
} from "../catalog/index.server.ts";
import { CheckFailedError } from "./errors.ts";

/** What a customer has answered, and what Berth knows of it anyway. */
export interface Given {
  parameters: Readonly<Record<string, Readonly<Record<string, string>>>>;
  facts: CustomerFacts;
}

/** The answers as a run's files read them, and those that cannot be taken. */
export interface RunAnswers {
  /** Name of a setting → value. */
  settings: Record<string, string>;
  problems: AnswerProblem[];
}

/** What the request's customer has answered. */
export async function givenOf(tx: Tx, requestId: string): Promise<Given> {
  const [row] = await tx
    .select({
      parameters: provisioningQueue.parameters,
      company: customers.company,
      timeZone: customers.timezone,
    })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .where(eq(provisioningQueue.id, requestId));
  if (!row) throw new Error("A run without a request.");
  const { parameters, ...known } = row;
  // What the country makes likely is for a person to confirm. Where nobody was asked, the default
  // stands: a database at work must not turn to another currency.
  return { parameters, facts: { ...known, country: "" } };
}

/**
 * The answers to what these templates ask today: those that were given; for a question of a later
 * version what stands there beforehand. What nobody asks any more is left out.
 */
export function answersFor(
  catalog: Catalog,
  names: readonly string[],
  { parameters, facts }: Given,
): RunAnswers {
  const asking = names.map((name) => catalog.get(name));
  const asked = Object.fromEntries(
    asking.map((template) => [template.name, answeredTo(template, parameters)]),
  );
  const { answers, problems } = completeAnswers(asking, asked, facts);
  return { settings: settingsOf(asking, answers), problems };
}

/** What was answered to the questions that a template asks today. */
export function answeredTo(
  template: Pick<Template, "name" | "parameters">,
  parameters: Given["parameters"],
): Record<string, string> {
  const known = new Set(template.parameters.map(({ name }) => name));
  const answers = Object.entries(parameters[template.name] ?? {});
  return Object.fromEntries(answers.filter(([name]) => known.has(name)));
}

/**
 * An answer that a template refuses stops a run before it begins. The answer itself is not told: it
 * may be personal.
 * @throws CheckFailedError
 */
export function requireAnswers(catalog: Catalog, problems: readonly AnswerProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.map(({ template: name, parameter, message }) => {
    const { title, version, parameters } = catalog.get(name);
    const question = parameters.find((one) => one.name === parameter)?.title ?? parameter;
    return {
      name: `${title}: ${question}`,
      found: `${name} ${version} does not take the answer that the request has (${message})`,
      needed: `an answer that ${name} takes`,
      fix: "Ask the customer, press “Correct settings” on the request's page, and retry.",
    };
  });
  throw new CheckFailedError("answers_refused", lines);
}

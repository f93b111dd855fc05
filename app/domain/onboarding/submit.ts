import { and, eq, sql } from "drizzle-orm";
import { customers } from "#db/customers.ts";
import type { Actor, Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import {
  type Answers,
  type Catalog,
  completeAnswers,
  resolveChoice,
} from "../catalog/index.server.ts";
import { ensureAccount } from "../identity/index.server.ts";
import { createRequest, positionsOf, type RequestRow } from "../queue/index.server.ts";
import { AnswersNotPossibleError } from "./errors.ts";
import type { NewCustomer } from "./schema.ts";

/**
 * Takes in a customer and its request, in one transaction. The same company under the same address
 * is the same customer: it gets another request, and its contact details become the newer ones.
 * Of what the features ask, an answer that is not given is what stands there beforehand.
 * @throws ChoiceNotPossibleError, AnswersNotPossibleError
 */
export async function submitRequest(
  { tx, actor, catalog }: { tx: Tx; actor: Actor; catalog: Catalog },
  input: NewCustomer,
): Promise<Taken> {
  const choice = await resolveChoice(tx, catalog, input);
  const { company, country, timezone: timeZone } = input;
  const { answers: parameters, problems } = completeAnswers(
    choice.features.map((name) => catalog.get(name)),
    input.parameters ?? {},
    { company, country, timeZone },
  );
  if (problems.length > 0) throw new AnswersNotPossibleError(problems);
  const account = await ensureAccount(tx, { email: input.email, name: input.contactName });
  return takeIn(
    { tx, actor },
    { ...account, email: input.email },
    { ...input, ...choice, parameters },
  );
}

/** A customer that was taken in, and the request that it made. */
export interface Taken {
  customerId: string;
  request: RequestRow;
}

/** What is written down of a customer and its wish, once the choice is known to be possible. */
type Wish = Pick<
  NewCustomer,
  | "company"
  | "contactName"
  | "phone"
  | "country"
  | "timezone"
  | "industry"
  | "region"
  | "billingCycle"
  | "features"
  | "priority"
> & { planId: string; parameters: Answers };

/** Writes down the customer of an account, and its request. */
export async function takeIn(
  { tx, actor }: { tx: Tx; actor: Actor },
  account: { userId: string; email: string; hasPassword?: boolean },
  wish: Wish,
): Promise<Taken> {
  const { id: customerId, isNew } = await upsertCustomer(tx, {
    userId: account.userId,
    company: wish.company,
    email: account.email,
    contactName: wish.contactName,
    phone: wish.phone ?? null,
    country: wish.country,
    timezone: wish.timezone,
    industry: wish.industry ?? null,
  });
  await recordAudit(tx, actor, {
    action: isNew ? "customer.create" : "customer.update",
    subjectKind: "customer",
    subjectId: customerId,
    data: { accountId: account.userId },
  });
  const { planId, billingCycle, region, features, parameters, priority } = wish;
  const request = await createRequest(
    { tx, actor },
    { customerId, planId, billingCycle, region, features, parameters, priority },
    { accountWithoutPassword: account.hasPassword === false ? account.userId : undefined },
  );
  return { customerId, request };
}

async function upsertCustomer(
  tx: Tx,
  row: typeof customers.$inferInsert,
): Promise<{ id: string; isNew: boolean }> {
  const [made] = await tx
    .insert(customers)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: customers.id });
  if (made) return { id: made.id, isNew: true };
  const { userId: _, company, email, ...details } = row;
  const [found] = await tx
    .update(customers)
    .set({ ...details, updatedAt: sql`berth_now()` })
    .where(and(eq(customers.email, email), sql`lower(${customers.company}) = lower(${company})`))
    .returning({ id: customers.id });
  if (!found) throw new Error("A customer vanished between two statements.");
  return { id: found.id, isNew: false };
}

/** The customers of an address, each with its requests, oldest first. */
export async function findCustomers(tx: Tx, email: string) {
  const rows = await tx
    .select({ customer: customers, request: provisioningQueue })
    .from(customers)
    .leftJoin(provisioningQueue, eq(provisioningQueue.customerId, customers.id))
    .where(eq(customers.email, email.toLowerCase()))
    .orderBy(customers.id, provisioningQueue.id)
    .limit(1_000);
  const positions = await positionsOf(
    tx,
    rows.flatMap(({ request }) => (request ? [request.id] : [])),
  );
  const found = new Map<string, CustomerAnswer>();
  for (const { customer, request } of rows) {
    const answer = found.get(customer.id) ?? {
      customerId: customer.id,
      company: customer.company,
      email: customer.email,
      requests: [],
    };
    if (request) {
      answer.requests.push({
        requestId: request.id,
        status: request.status,
        position: positions.get(request.id) ?? null,
        dueAt: request.dueAt?.toISOString() ?? null,
      });
    }
    found.set(customer.id, answer);
  }
  return [...found.values()];
}

export interface CustomerAnswer {
  customerId: string;
  company: string;
  email: string;
  requests: { requestId: string; status: string; position: number | null; dueAt: string | null }[];
}

import { z } from "zod";
import {
  emailAddress,
  findCustomers,
  type NewCustomer,
  newCustomerInput,
  takeCustomer,
  testOffered,
} from "#app/domain/onboarding/index.server.ts";
import { asActor } from "#db/index.ts";
import { customersFound, submitted } from "../answers.ts";
import { type Call, endpoint } from "../endpoint.ts";
import { earlierAnswer, rememberAnswer, repetitionOf } from "../idempotency.ts";
import { EACH_TEST, spend } from "../limits.ts";

export const createCustomer = endpoint({
  method: "POST",
  path: "/api/customers",
  scope: "customers:write",
  summary: "Take in a customer and put its request into the queue",
  description:
    'The same company under the same e-mail address is the same customer, with one more request. A new address gets an account and a mail with a link to set its password. `backend`, if given, is the customer\'s own Supabase project: it is tested first and then sealed. `parameters` answers what the features ask, as in `{"base": {"currency": "EUR"}}`.',
  headers: [
    {
      name: "Idempotency-Key",
      description:
        "A word of your choice for this request. Sent again with the same body it gives the same answer and makes nothing new; with another body it is refused. Remembered for 30 days.",
    },
  ],
  body: newCustomerInput,
  answer: { status: 201, schema: submitted },
  problems: [
    "answers_not_possible",
    "choice_not_possible",
    "credentials_refused",
    "idempotency_mismatch",
    "project_in_use",
  ],
  handle: create,
});

async function create(call: Call<unknown, NewCustomer>): Promise<unknown> {
  const { services, actor, holder, request, body, rawBody } = call;
  const { db, vault, catalog } = services;
  const repetition = repetitionOf(request, holder.userId, rawBody, services.repetitionKey);
  if (repetition) {
    const earlier = await asActor(db, actor, (tx) => earlierAnswer(tx, repetition));
    if (earlier) return earlier;
  }
  // A customer's own project is looked at before the transaction: nothing waits for the network in it.
  if (body.backend) await spend(db, actor, EACH_TEST, holder.keyId);
  const report = await testOffered({ ...services, actor }, body);
  return asActor(db, actor, async (tx) => {
    const earlier = repetition ? await earlierAnswer(tx, repetition) : null;
    if (earlier) return earlier;
    // Only now is the report judged: the same call sent twice finds its own project in use, and has
    // been answered.
    const taken = await takeCustomer({ tx, actor, catalog, vault }, body, report);
    const { customerId, request: made, position, estimate } = taken;
    const answer = {
      customerId,
      requestId: made.id,
      status: made.status,
      position,
      dueAt: made.dueAt?.toISOString() ?? null,
      estimatedCompletionAt: estimate?.toISOString() ?? null,
    };
    if (repetition) await rememberAnswer(tx, repetition, 201, answer);
    return answer;
  });
}

export const listCustomers = endpoint({
  method: "GET",
  path: "/api/customers",
  scope: "customers:read",
  summary: "Look up the customers of an e-mail address",
  query: z.strictObject({ email: emailAddress }),
  answer: { status: 200, schema: customersFound },
  handle: async ({ services, actor, query }) => ({
    customers: await asActor(services.db, actor, (tx) => findCustomers(tx, query.email)),
  }),
});

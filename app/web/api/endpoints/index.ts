import type { Endpoint } from "../endpoint.ts";
import { readAudit } from "./audit.ts";
import { testSupabaseConnection } from "./connection.ts";
import { createCustomer, listCustomers } from "./customers.ts";
import { plan } from "./plan.ts";
import {
  cancel,
  claim,
  correct,
  endRun,
  getRequest,
  listRequests,
  release,
  retry,
  submit,
} from "./queue.ts";
import { rehearse } from "./rehearsal.ts";

/** Every call there is, in the order in which the documentation tells them. */
export const ENDPOINTS: readonly Endpoint[] = [
  createCustomer,
  listCustomers,
  testSupabaseConnection,
  listRequests,
  getRequest,
  claim,
  release,
  correct,
  plan,
  submit,
  rehearse,
  retry,
  endRun,
  cancel,
  readAudit,
];

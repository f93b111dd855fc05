import type { Endpoint } from "../endpoint.ts";
import { readAudit } from "./audit.ts";
import { testSupabaseConnection } from "./connection.ts";
import { createCustomer, listCustomers } from "./customers.ts";
import { cancel, claim, getRequest, listRequests, release, retry, submit } from "./queue.ts";

/** Every call there is, in the order in which the documentation tells them. */
export const ENDPOINTS: readonly Endpoint[] = [
  createCustomer,
  listCustomers,
  testSupabaseConnection,
  listRequests,
  getRequest,
  claim,
  release,
  submit,
  retry,
  cancel,
  readAudit,
];

import { createCustomer, listCustomers } from "#app/web/api/endpoints/customers.ts";
import { serve } from "#app/web/api/serve.server.ts";

const served = serve(createCustomer, listCustomers);
export const loader = served.loader;
export const action = served.action;

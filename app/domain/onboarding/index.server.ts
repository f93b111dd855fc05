export { readPasswordLink, redeemPasswordLink } from "./password.ts";
export {
  credentialsInput,
  emailAddress,
  type NewCustomer,
  newCustomerInput,
  REGIONS,
} from "./schema.ts";
export { type CustomerAnswer, findCustomers, submitRequest } from "./submit.ts";

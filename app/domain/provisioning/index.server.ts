export { cancelRequest, type RequestView, retryRequest, viewRequest } from "./commands.ts";
export { type CredentialsDeps, checkCredentials, submitCredentials } from "./credentials.ts";
export { CredentialsMissingError, CredentialsRefusedError } from "./errors.ts";
export { executeRun, type RunnerDeps } from "./execute.ts";
export { takeRun } from "./lease.ts";
export { type OwnerLinkDeps, openOwnerLink, readOwnerLink, sendOwnerLink } from "./owner.ts";
export { planRun } from "./plan.ts";

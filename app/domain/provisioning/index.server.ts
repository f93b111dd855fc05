export { cancelRequest, type RequestView, retryRequest, viewRequest } from "./commands.ts";
export {
  type CredentialsDeps,
  checkCredentials,
  submitCredentials,
  testCredentials,
} from "./credentials.ts";
export { type CredentialsView, viewCredentials } from "./credentials-view.ts";
export { actOnRequest, type DeskAct, deskAct } from "./desk-acts.ts";
export { type DeskRequest, viewForDesk } from "./desk-request.ts";
export {
  CredentialsMissingError,
  CredentialsRefusedError,
  TooLateToCancelError,
} from "./errors.ts";
export { executeRun, type RunnerDeps } from "./execute.ts";
export { takeRun } from "./lease.ts";
export { type OwnerLinkDeps, openOwnerLink, readOwnerLink, sendOwnerLink } from "./owner.ts";
export { planRun } from "./plan.ts";
export { runLog } from "./run-log.ts";
export {
  type Excerpt,
  type RunName,
  type RunReport,
  readRun,
  type StepReport,
} from "./run-report.ts";
export type { Standing } from "./standing.ts";
export {
  cancelOwnRequest,
  listOwnRequests,
  type OwnRequest,
  ownRequestsFilter,
  type Tracking,
  trackRequest,
} from "./tracking.ts";

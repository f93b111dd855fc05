export { answeredTo, answersFor, type Given, givenOf } from "./answers.ts";
export { cancelRun } from "./cancel-run.ts";
export {
  cancelRequest,
  planRetry,
  type RequestView,
  type RetryPlan,
  retryRequest,
  viewRequest,
} from "./commands.ts";
export {
  type CredentialsDeps,
  checkCredentials,
  planCredentials,
  planRequest,
  submitCredentials,
  testCredentials,
} from "./credentials.ts";
export { type CredentialsView, viewCredentials } from "./credentials-view.ts";
export { actOnRequest, type DeskAct, deskAct } from "./desk-acts.ts";
export { type DeskRequest, viewForDesk } from "./desk-request.ts";
export {
  type AcceptedDrift,
  acceptDrift,
  DriftNotFoundError,
  readAcceptance,
  readAcceptedLines,
  tellFailure,
} from "./drift-acceptance.ts";
export { doDueWork } from "./due.ts";
export {
  CredentialsMissingError,
  CredentialsRefusedError,
  PlanChangedError,
  PlanNotSeenError,
  PlanUnavailableError,
  TooLateToCancelError,
} from "./errors.ts";
export { executeRun, type RunnerDeps } from "./execute.ts";
export { type Taking, takeRun } from "./lease.ts";
export { type OwnerLinkDeps, openOwnerLink, readOwnerLink, sendOwnerLink } from "./owner.ts";
export { planRun, type RunPlan } from "./plan.ts";
export { type RehearsalView, rehearseRequest } from "./rehearsal.ts";
export { runLog } from "./run-log.ts";
export {
  type Excerpt,
  type RunName,
  type RunReport,
  readRun,
  type StepReport,
} from "./run-report.ts";
export type { Standing } from "./standing.ts";
export { effectOf, staysOf, type WhatStays } from "./stays.ts";
export {
  cancelOwnRequest,
  listOwnRequests,
  type OwnRequest,
  ownRequestsFilter,
  type Tracking,
  trackRequest,
} from "./tracking.ts";

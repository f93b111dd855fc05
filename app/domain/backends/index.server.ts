export {
  type CheckLine,
  type CheckName,
  checkLine,
  checkNames,
  toldChecks,
} from "./connection-test/checks.ts";
export {
  type Check,
  type ConnectionTest,
  testConnection,
} from "./connection-test/connection-test.ts";
export { customerLine, fieldsOf, inSentence } from "./connection-test/customer-words.ts";
export { type DashboardLinks, dashboardLinks } from "./dashboard-links.ts";
export { ProjectInUseError } from "./errors.ts";
export {
  adoptBackend,
  attachBackend,
  type Backend,
  type BackendView,
  backendSecret,
  type Credentials,
  destroySealedAhead,
  destroySuperseded,
  isProjectInUse,
  liveBackendOf,
  purgeRetiredSecrets,
  retireBackend,
  sealAhead,
  viewBackend,
} from "./store.ts";

export { toldChecks } from "./connection-test/checks.ts";
export {
  type Check,
  type ConnectionTest,
  testConnection,
} from "./connection-test/connection-test.ts";
export { ProjectInUseError } from "./errors.ts";
export {
  attachBackend,
  type Backend,
  type BackendView,
  backendSecret,
  type Credentials,
  destroySuperseded,
  isProjectInUse,
  liveBackendOf,
  purgeRetiredSecrets,
  retireBackend,
  viewBackend,
} from "./store.ts";

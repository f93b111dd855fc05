export {
  addStaff,
  createApiKey,
  endSessions,
  ensureAccount,
  joinStaff,
  type NewStaff,
  renameAccount,
  requireStaff,
  type StaffRole,
  setPassword,
} from "./accounts.ts";
export { identifyKey, type KeyHolder, requireScope } from "./api-keys.ts";
export { type Auth, createAuth, MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./auth.ts";
export * from "./errors.ts";
export { livingSessions } from "./living-sessions.ts";
export { requireGoodPassword } from "./password-rule.ts";
export { ALL_SCOPES, SCOPES, type Scope } from "./scopes.ts";
export { bringsSession, readVisitor, signIn, signOut, type Visitor } from "./sessions.ts";
export { signUp } from "./sign-up.ts";

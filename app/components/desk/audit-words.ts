/** What each recorded act was, in plain words that go on from the name of who did it. */
const WORDS: Record<string, string> = {
  "account.account.delete": "removed a password",
  "account.account.insert": "set a first password",
  "account.account.update": "changed a password",
  "account.apikey.delete": "deleted an API key",
  "account.apikey.insert": "made an API key",
  "account.apikey.update": "changed an API key",
  "account.password_asked": "asked for a new password",
  "account.password_set": "set a password by a link",
  "account.session.delete": "ended a session",
  "account.session.insert": "signed in",
  "account.user.delete": "deleted an account",
  "account.user.insert": "made an account",
  "account.user.update": "changed or proved an address",
  "backend.attach": "gave the request a project",
  "backend.offer": "offered an own project",
  "backend.retire": "let go of a project",
  "credentials.test": "tested credentials",
  "customer.create": "made a customer",
  "customer.update": "changed a customer’s details",
  "drift.accept": "accepted a difference in a database",
  "draft.expire": "forgot an unfinished sign-up",
  "key.create": "gave out an API key",
  "link.owner.send": "sent the owner a new link",
  "link.owner.use": "opened the owner’s link",
  "link.set-password.use": "opened a link for a password",
  "mail.dead": "gave up on a mail",
  "mail.resend": "sent a mail again",
  "mail.sent": "sent a mail",
  "request.cancelled": "cancelled the request",
  "request.claim_expired": "gave an abandoned request back to the queue",
  "request.claimed": "claimed the request",
  "request.completed": "completed the request",
  "request.credentials_problem": "found a problem with the credentials",
  "request.credentials_submitted": "submitted credentials",
  "request.failed": "marked the request as failed",
  "request.needs_person": "stopped the request for a person",
  "request.note": "wrote a note",
  "request.priority_changed": "changed the priority",
  "request.received": "sent a request",
  "request.released": "gave the request back to the queue",
  "request.resumed": "went on with the request",
  "request.settings_corrected": "corrected the settings",
  "request.run_cancelled": "set the request aside after its run was cancelled",
  "request.retried": "retried the request",
  "request.run_started": "started to build",
  "run.cancel_request": "asked to cancel a run",
  "run.cancelled": "cancelled a run",
  "run.create": "planned a run",
  "run.rehearse": "rehearsed a run",
  "run.rehearse_start": "began to rehearse a run",
  "run.start": "began a run",
  "run.succeeded": "finished a run",
  "run.failed": "stopped a run that failed",
  "run.needs_person": "stopped a run that needs a person",
  "run.take_over": "took over a run",
  "secret.destroy": "destroyed sealed credentials",
  "secret.seal": "sealed credentials",
  "secret.use": "used sealed credentials",
  "staff.add": "put somebody on the staff",
  "staff.capacity": "changed a capacity",
  "staff.deactivate": "deactivated somebody",
  "staff.invite_again": "sent an invitation again",
  "staff.reactivate": "reactivated somebody",
  "staff.role": "changed a role",
  "step.cancelled": "rolled back a step",
  "step.done": "finished a step",
  "step.failed": "met a failure in a step",
  "step.needs_person": "stopped a step that needs a person",
};

/** Where what was recorded with the act says which of two it was. */
const EITHER: Record<string, (data: Record<string, unknown>) => string> = {
  "staff.on_duty": ({ onDuty }) => (onDuty ? "went on duty" : "went off duty"),
  "template.switch": ({ active }) => `switched a template ${active ? "on" : "off"}`,
};

/** "claimed the request"; an act without words of its own says what its name says. */
export const actionWords = (action: string, data: Record<string, unknown>): string =>
  EITHER[action]?.(data) ?? WORDS[action] ?? action.replaceAll(/[._-]+/g, " ");

const KINDS: Record<string, string> = {
  account: "account",
  apikey: "API key",
  backend: "backend",
  customer: "customer",
  draft: "sign-up",
  key: "API key",
  link: "link",
  mail: "mail",
  project: "project",
  request: "request",
  run: "run",
  session: "session",
  step: "step",
  template: "template",
  user: "account",
};

export const subjectWords = (kind: string): string => KINDS[kind] ?? kind.replaceAll("_", " ");

/** What a search can be narrowed to. */
export const SUBJECT_KINDS = Object.keys(KINDS);

/** Who acts where it is no person with a name. */
export function actorWords({ kind, id }: { kind: string; id: string }): string {
  if (kind === "worker") return id === "one-time link" ? "Whoever opened a link" : "Berth";
  if (kind === "api") return "The API";
  // A command, such as "npm start", goes by its own name.
  return kind === "staff" ? id : "An account";
}

import { toldChecks } from "#app/domain/backends/index.server.ts";
import { ChoiceNotPossibleError } from "#app/domain/catalog/index.server.ts";
import { AnswersNotPossibleError } from "#app/domain/onboarding/index.server.ts";
import {
  CredentialsRefusedError,
  PlanChangedError,
} from "#app/domain/provisioning/index.server.ts";
import { HeldByOtherError } from "#app/domain/queue/index.server.ts";
import { BerthError } from "#app/platform/errors.ts";
import { redactText } from "#app/platform/log.ts";
import {
  BodyTooLargeError,
  FieldsInvalidError,
  MethodNotAllowedError,
  RateLimitedError,
} from "./errors.ts";

/** RFC 9457, with the fields that were wrong, and what was found, needed and to do. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The correlation id: also in the log and the audit record. */
  instance: string;
  errors?: { field: string; message: string }[];
  [extension: string]: unknown;
}

/** The one map from failures to statuses: what calls of the API may meet, */
const CALL_STATUS: Record<string, number> = {
  body_malformed: 400,
  key_invalid: 401,
  scope_missing: 403,
  not_staff: 403,
  not_found: 404,
  request_not_found: 404,
  method_not_allowed: 405,
  request_wrong_state: 409,
  request_held: 409,
  claim_expired: 409,
  request_changed: 409,
  project_in_use: 409,
  template_unknown: 409,
  plan_changed: 409,
  settings_closed: 409,
  run_locked: 409,
  lock_timeout: 409,
  scratch_unavailable: 409,
  rehearsal_too_long: 409,
  rehearsal_stopped: 409,
  rehearsal_busy: 409,
  database_refused: 409,
  database_connection_lost: 409,
  body_too_large: 413,
  media_type_unsupported: 415,
  fields_invalid: 422,
  choice_not_possible: 422,
  answers_not_possible: 422,
  answers_refused: 422,
  credentials_refused: 422,
  credentials_missing: 422,
  idempotency_mismatch: 422,
  secret_not_storable: 422,
  rate_limited: 429,
  auth_unavailable: 503,
  plan_unavailable: 503,
};

/** and what only pages can. What is in neither is a fault of ours. */
const PAGE_STATUS: Record<string, number> = {
  role_missing: 403,
  sign_in_refused: 403,
  staff_not_found: 404,
  mail_not_found: 404,
  request_begun: 409,
  drift_not_found: 409,
  draft_changed: 409,
  step_not_open: 409,
  account_exists: 409,
  own_account: 409,
  last_supervisor: 409,
  invitation_not_needed: 409,
  mail_not_resendable: 409,
  copy_not_confirmed: 409,
  member_changed: 409,
  base_not_switchable: 409,
  plan_not_seen: 409,
  password_weak: 422,
};

const STATUS: Record<string, number> = { ...CALL_STATUS, ...PAGE_STATUS };

const TITLES: Record<number, string> = {
  400: "The request cannot be read",
  401: "Who is asking?",
  403: "Not allowed",
  404: "Not found",
  405: "Not possible here",
  409: "Not possible now",
  413: "Too large",
  415: "Another format is needed",
  422: "Some of it is not right",
  429: "Too many requests",
  500: "Berth failed",
  503: "Not available at this moment",
};

/** Every code that a caller of the API may meet, for its documentation. */
export const PROBLEMS = [...Object.entries(CALL_STATUS), ["internal", 500] as const].map(
  ([code, status]) => ({ code, status, title: TITLES[status] ?? "" }),
);

/** Whether this failure is an answer that a caller expects, rather than a fault of ours. */
export function isExpected(error: unknown): error is BerthError {
  return error instanceof BerthError && STATUS[error.code] !== undefined;
}

/** The status with which a failure is answered; 500 for what is a fault of ours. */
export const statusOf = (error: unknown): number =>
  isExpected(error) ? (STATUS[error.code] ?? 500) : 500;

/** What a caller is told of a failure; of our own faults, nothing but where to ask. */
export function toProblem(error: unknown, correlationId: string): Problem {
  const status = statusOf(error);
  const code = isExpected(error) ? error.code : "internal";
  return {
    type: `/docs/api#${code}`,
    title: TITLES[status] ?? "Berth failed",
    status,
    detail: isExpected(error)
      ? redactText(error.message)
      : "The fault is on our side and has been recorded. Quote the instance when you ask about it.",
    instance: `urn:berth:${correlationId}`,
    ...(isExpected(error) ? extensions(error) : {}),
  };
}

function extensions(error: BerthError): Record<string, unknown> {
  const { found, needed, fix } = error;
  const facts = Object.fromEntries(
    Object.entries({ found, needed, fix })
      .filter(([, text]) => text !== undefined)
      .map(([name, text]) => [name, redactText(text ?? "")]),
  );
  if (error instanceof FieldsInvalidError) return { ...facts, errors: error.fields };
  if (error instanceof ChoiceNotPossibleError) return { ...facts, errors: error.problems };
  if (error instanceof AnswersNotPossibleError) {
    const errors = error.problems.map(({ template, parameter, message }) => ({
      field: ["parameters", template.slice(0, 100), parameter.slice(0, 100)].join("."),
      message,
    }));
    return { ...facts, errors };
  }
  if (error instanceof HeldByOtherError) return { ...facts, holder: error.holder };
  if (error instanceof CredentialsRefusedError) {
    const { ok, checks } = error.report;
    return { ...facts, ok, checks: toldChecks(checks) };
  }
  if (error instanceof PlanChangedError && error.now) return { ...facts, plan: error.now.plan };
  return facts;
}

/** The answer to a failed call. */
export function problemResponse(error: unknown, correlationId: string): Response {
  const problem = toProblem(error, correlationId);
  const headers = new Headers({
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
  });
  if (problem.status === 401) headers.set("WWW-Authenticate", 'Bearer realm="berth"');
  if (error instanceof RateLimitedError)
    headers.set("Retry-After", String(error.retryAfterSeconds));
  if (error instanceof MethodNotAllowedError) headers.set("Allow", error.allowed.join(", "));
  // What is left of a body that was refused half-way is not read.
  if (error instanceof BodyTooLargeError) headers.set("Connection", "close");
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}

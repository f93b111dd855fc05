import { describe, expect, it } from "vitest";
import { ProjectInUseError } from "#app/domain/backends/index.server.ts";
import {
  BaseNotSwitchableError,
  ChoiceNotPossibleError,
  UnknownTemplateError,
} from "#app/domain/catalog/index.server.ts";
import {
  AccountExistsError,
  AuthUnavailableError,
  InvalidKeyError,
  MissingScopeError,
  NotStaffError,
  RoleMissingError,
  SignInRefusedError,
  WeakPasswordError,
} from "#app/domain/identity/index.server.ts";
import {
  MailNotFoundError,
  MailNotResendableError,
} from "#app/domain/notifications/index.server.ts";
import {
  AnswersNotPossibleError,
  DraftChangedError,
  SettingsClosedError,
  StepNotOpenError,
} from "#app/domain/onboarding/index.server.ts";
import { CheckFailedError } from "#app/domain/provisioning/errors.ts";
import {
  CredentialsMissingError,
  CredentialsRefusedError,
  DriftNotFoundError,
  PlanChangedError,
  PlanNotSeenError,
  PlanUnavailableError,
  type RunPlan,
  TooLateToCancelError,
} from "#app/domain/provisioning/index.server.ts";
import {
  ClaimExpiredError,
  HeldByOtherError,
  RequestChangedError,
  RequestNotFoundError,
  WrongStateError,
} from "#app/domain/queue/index.server.ts";
import {
  InvitationNotNeededError,
  LastSupervisorError,
  OwnAccountError,
  StaffNotFoundError,
} from "#app/domain/staff/index.server.ts";
import { SecretNotStorableError, WrongKeyError } from "#app/domain/vault/index.server.ts";
import {
  RehearsalBusyError,
  RehearsalStoppedError,
  RehearsalTooLongError,
} from "#app/integrations/postgres/rehearsal-errors.ts";
import {
  ConnectionLostError,
  DatabaseRefusedError,
  LockedError,
  LockTimeoutError,
} from "#app/integrations/postgres/run-errors.ts";
import { ScratchUnavailableError } from "#app/integrations/postgres/scratch.ts";
import { BerthError } from "#app/platform/errors.ts";
import {
  BodyMalformedError,
  BodyTooLargeError,
  FieldsInvalidError,
  IdempotencyMismatchError,
  MediaTypeError,
  MethodNotAllowedError,
  NothingHereError,
  RateLimitedError,
} from "./errors.ts";
import { PROBLEMS, problemResponse, toProblem } from "./problem.ts";

const report = {
  ok: false,
  ref: null,
  checks: [{ name: "url" as const, ok: false, found: "x", fix: "y" }],
  facts: { origin: null, serverVersion: null, schema: null, pooler: null },
};
const plan: RunPlan = { templates: {}, steps: [], strangers: [], basis: null };
const FAILURES: [BerthError, number][] = [
  [new BodyMalformedError("x"), 400],
  [new InvalidKeyError(), 401],
  [new MissingScopeError("queue:read"), 403],
  [new NotStaffError(), 403],
  [new NothingHereError(), 404],
  [new RequestNotFoundError(), 404],
  [new MethodNotAllowedError(["GET", "POST"]), 405],
  [new WrongStateError("completed", "claim", ["pending"]), 409],
  [new HeldByOtherError({ id: "kim", name: "Kim" }), 409],
  [new ClaimExpiredError(), 409],
  [new RequestChangedError(), 409],
  [new SettingsClosedError("run"), 409],
  [new ProjectInUseError("abc"), 409],
  [new BodyTooLargeError(10), 413],
  [new MediaTypeError(), 415],
  [new FieldsInvalidError([{ field: "email", message: "x" }]), 422],
  [new ChoiceNotPossibleError([{ field: "plan", message: "x" }]), 422],
  [new AnswersNotPossibleError([{ template: "base", parameter: "currency", message: "x" }]), 422],
  [new CheckFailedError("answers_refused", []), 422],
  [new CredentialsRefusedError(report), 422],
  [new CredentialsMissingError(), 422],
  [new IdempotencyMismatchError(), 422],
  [new SecretNotStorableError("anonKey", "x"), 422],
  [new RateLimitedError(7), 429],
  [new UnknownTemplateError("x", ["base"]), 409],
  [new AuthUnavailableError(null), 503],
  [new PlanChangedError(["x"], { plan, report }), 409],
  [new PlanUnavailableError(new ConnectionLostError(null)), 503],
  [new LockedError(null), 409],
  [new LockTimeoutError("x", []), 409],
  [new ScratchUnavailableError("x"), 409],
  [new RehearsalTooLongError("x", 1_000), 409],
  [new RehearsalStoppedError(null), 409],
  [new RehearsalBusyError("x"), 409],
  [new DatabaseRefusedError("x", "42501", "y"), 409],
  [new ConnectionLostError(null), 409],
];
/** What calls of the API never meet. */
const ON_PAGES: [BerthError, number][] = [
  [new RoleMissingError(["supervisor"]), 403],
  [new SignInRefusedError(), 403],
  [new WeakPasswordError("x"), 422],
  [new TooLateToCancelError("in_progress"), 409],
  [new DriftNotFoundError(), 409],
  [new PlanNotSeenError(plan, report), 409],
  [new DraftChangedError(), 409],
  [new StepNotOpenError("plan"), 409],
  [new StaffNotFoundError(), 404],
  [new MailNotFoundError(), 404],
  [new AccountExistsError(), 409],
  [new OwnAccountError("deactivate"), 409],
  [new LastSupervisorError("Sam"), 409],
  [new InvitationNotNeededError("Kim", "active"), 409],
  [new MailNotResendableError("x", "y"), 409],
  [new BaseNotSwitchableError(), 409],
];

describe("the one map from failures to answers", () => {
  it.each([...FAILURES, ...ON_PAGES])("answers $code as it should", async (failure, status) => {
    const answer = problemResponse(failure, "c-1");
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({
      type: `/docs/api#${failure.code}`,
      title: expect.stringMatching(/./),
      status,
      detail: failure.message,
      instance: "urn:berth:c-1",
    });
  });

  it("documents every code that a call may meet, and no other but our own faults", () => {
    expect(PROBLEMS.map(({ code, status }) => `${code} ${status}`).sort()).toEqual(
      [...FAILURES.map(([failure, status]) => `${failure.code} ${status}`), "internal 500"].sort(),
    );
  });

  it("adds what each has to tell", () => {
    const of = (failure: unknown) => toProblem(failure, "c");
    expect(of(new FieldsInvalidError([{ field: "a", message: "b" }])).errors).toEqual([
      { field: "a", message: "b" },
    ]);
    expect(of(new ChoiceNotPossibleError([{ field: "plan", message: "b" }])).errors).toHaveLength(
      1,
    );
    expect(of(new HeldByOtherError({ id: "kim", name: "Kim" })).holder).toEqual({
      id: "kim",
      name: "Kim",
    });
    expect(of(new CredentialsRefusedError(report))).toMatchObject({
      ok: false,
      checks: report.checks,
    });
    expect(of(new PlanChangedError(["x", "y"], { plan, report }))).toMatchObject({
      found: "x; y",
      plan,
    });
    const header = (failure: unknown, name: string) =>
      problemResponse(failure, "c").headers.get(name);
    expect(header(new InvalidKeyError(), "www-authenticate")).toBe('Bearer realm="berth"');
    expect(header(new RateLimitedError(7), "retry-after")).toBe("7");
    expect(header(new MethodNotAllowedError(["GET", "POST"]), "allow")).toBe("GET, POST");
    const many = Array.from({ length: 10_000 }, (_, i) => ({ field: `f${i}`, message: "x" }));
    expect(of(new FieldsInvalidError(many)).errors).toHaveLength(50);
  });

  it.each([
    new Error("password authentication failed for canary"),
    new TypeError("canary is not a function"),
    "canary",
    null,
    // Expected within the house, but no answer to a caller.
    new WrongKeyError("canary"),
    new BerthError("canary_code", "canary", { found: "canary", fix: "canary" }),
  ])("says nothing of a fault of ours: %s", async (fault) => {
    const answer = problemResponse(fault, "c-1");
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).not.toContain("canary");
    expect(JSON.parse(text)).toMatchObject({
      type: "/docs/api#internal",
      instance: "urn:berth:c-1",
    });
  });

  it("repeats no secret that a failure carries", () => {
    const secret = "sb_secret_canary0123456789canary";
    const url = "postgresql://postgres.abc:canary@host:5432/postgres";
    const failure = new BodyMalformedError(`It held ${secret} and ${url}.`);
    expect(JSON.stringify(toProblem(failure, "c"))).not.toContain("canary");
  });
});

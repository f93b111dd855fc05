import { BerthError } from "#app/platform/errors.ts";

export interface FieldProblem {
  field: string;
  message: string;
}

/** One or more fields are wrong; the first fifty are named. */
export class FieldsInvalidError extends BerthError {
  readonly fields: readonly FieldProblem[];
  constructor(fields: readonly FieldProblem[]) {
    super("fields_invalid", "One or more fields are not right. Each is named in `errors`.");
    this.fields = fields.slice(0, 50);
  }
}

export class BodyMalformedError extends BerthError {
  constructor(what: string) {
    super("body_malformed", what);
  }
}

export class BodyTooLargeError extends BerthError {
  constructor(limit: number) {
    super("body_too_large", `The body is larger than ${limit} bytes.`);
  }
}

export class MediaTypeError extends BerthError {
  constructor() {
    super("media_type_unsupported", "Send the body as application/json.");
  }
}

export class MethodNotAllowedError extends BerthError {
  readonly allowed: readonly string[];
  constructor(allowed: readonly string[]) {
    super("method_not_allowed", `Use ${allowed.join(" or ")} here.`);
    this.allowed = allowed;
  }
}

export class NothingHereError extends BerthError {
  constructor() {
    super("not_found", "There is nothing at this address. See /docs/api.");
  }
}

export class RateLimitedError extends BerthError {
  readonly retryAfterSeconds: number;
  constructor(retryAfterSeconds: number) {
    super("rate_limited", `Too many requests. Try again in ${retryAfterSeconds} s.`, {
      retryable: true,
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class IdempotencyMismatchError extends BerthError {
  constructor() {
    super("idempotency_mismatch", "This Idempotency-Key was used with another body.", {
      fix: "Use a new key for a new request; send the very same body to repeat the old one.",
    });
  }
}

import { BerthError } from "#app/platform/errors.ts";

export class InvalidKeyError extends BerthError {
  constructor() {
    super("key_invalid", "The API key is missing, unknown, disabled or expired.", {
      fix: "Send a valid key as `Authorization: Bearer …`.",
    });
  }
}

/** The key could not be looked up: good or not, nobody knows. */
export class AuthUnavailableError extends BerthError {
  constructor(cause: unknown) {
    super("auth_unavailable", "API keys cannot be checked at the moment.", {
      retryable: true,
      fix: "Try again in a moment.",
      cause,
    });
  }
}

export class MissingScopeError extends BerthError {
  constructor(scope: string) {
    super("scope_missing", `This API key lacks the scope ${scope}.`, {
      needed: scope,
      fix: "Use a key that has this scope, or ask a supervisor for one.",
    });
  }
}

/** The person behind the key or session is not on the staff, or no longer is. */
export class NotStaffError extends BerthError {
  constructor() {
    super(
      "not_staff",
      "This act is for active staff. The account is not, or no longer, one of them.",
    );
  }
}

/** On the staff, but not in a role that may do this. */
export class RoleMissingError extends BerthError {
  constructor(roles: readonly string[]) {
    super("role_missing", `Only a ${roles.join(" or ")} may do this.`, {
      needed: roles.join(" or "),
      fix: `Ask a ${roles[0]} to do it.`,
    });
  }
}

export class WeakPasswordError extends BerthError {
  constructor(message: string) {
    super("password_weak", message);
  }
}

export class AccountExistsError extends BerthError {
  constructor() {
    super(
      "account_exists",
      "This e-mail address belongs to somebody who is on the staff already, or was.",
    );
  }
}

/** The address or the password is wrong; which of the two is not told. */
export class SignInRefusedError extends BerthError {
  constructor() {
    super("sign_in_refused", "This address and password do not belong together.", {
      fix: "Check both. If you forgot the password, have a link mailed to you.",
    });
  }
}

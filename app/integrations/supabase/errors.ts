import { BerthError } from "#app/platform/errors.ts";
import { OutboundNameError } from "#app/platform/outbound/errors.ts";

/** The project sleeps: its gateway answers 540, or its name is gone from the DNS. */
export class ProjectPausedError extends BerthError {
  constructor(host: string, found: string, cause?: unknown) {
    super("project_paused", `The project at ${host} is paused or gone.`, {
      found,
      needed: "a running project",
      fix: "Open the project in Supabase, choose “Restore project”, and wait until it is healthy. If it is not paused, check the URL for typing errors.",
      cause,
    });
  }
}

/** The gateway is there, but the service behind it did not answer it (544). */
export class ProjectTimeoutError extends BerthError {
  constructor(host: string) {
    super("project_timeout", `The services of ${host} do not answer their gateway.`, {
      retryable: true,
      found: "the project's gateway waits in vain for its own services (544)",
      needed: "services that answer",
      fix: "Look at the project's health in Supabase, restart it if need be, and try again.",
    });
  }
}

/** Supabase has restricted the project, as a rule over its quota or an unpaid bill (402). */
export class ProjectRestrictedError extends BerthError {
  constructor(host: string) {
    super("project_restricted", `Supabase has restricted the project at ${host}.`, {
      found: "Supabase restricts this project's services (402)",
      needed: "a project in good standing",
      fix: "Open Supabase → Organization → Billing and see what is owed or exceeded.",
    });
  }
}

/** The gateway or Auth does not accept the key for this call (401, 403). */
export class KeyRefusedError extends BerthError {
  constructor(host: string, status: number) {
    super("key_refused", `The project at ${host} does not accept this key.`, {
      found: `the project does not accept this key (${status}): it is mistyped, revoked, or another project's`,
      needed: "a key of this very project",
      fix: "Copy it again from Supabase → Settings → API keys.",
    });
  }
}

/** Too many requests; the window ends by itself. */
export class SupabaseRateLimitError extends BerthError {
  /** Until the window ends, in milliseconds. */
  readonly resetAfterMs: number;

  constructor(host: string, resetAfterMs: number) {
    const seconds = Math.ceil(resetAfterMs / 1_000);
    super("supabase_rate_limit", `${host} takes no more requests for ${seconds} s.`, {
      retryable: true,
      found: "too many requests in a short time (429)",
      needed: "a pause",
      fix: `Try again in ${seconds} s.`,
    });
    this.resetAfterMs = resetAfterMs;
  }
}

/** Supabase failed on its side (5xx). */
export class SupabaseFailureError extends BerthError {
  constructor(host: string, status: number) {
    super("supabase_failure", `${host} failed to answer (${status}).`, {
      retryable: true,
      found: `the answer was an internal error (${status})`,
      needed: "an answer",
      fix: "Try again in a minute; if it persists, look at status.supabase.com.",
    });
  }
}

/** An answer that is none of those that Supabase documents. */
export class SupabaseAnswerError extends BerthError {
  constructor(host: string, found: string) {
    super("supabase_answer", `${host} does not answer as Supabase does: ${found}.`, {
      found,
      needed: "an answer as documented by Supabase",
      fix: "Check that the address is that of a Supabase project.",
    });
  }
}

/** The Management API does not accept the access token, or not for this project (401, 403). */
export class ManagementTokenError extends BerthError {
  constructor(host: string, status: number) {
    super("management_token", `${host} does not accept Berth's access token (${status}).`, {
      found: `the access token was refused (${status})`,
      needed: "a token that may manage this project",
      fix: "Create a token under Supabase → Account → Access tokens and set SUPABASE_ACCESS_TOKEN.",
    });
  }
}

/** The Management API knows no such project, or hides it from this token. */
export class ProjectNotFoundError extends BerthError {
  constructor(ref: string) {
    super("project_not_found", `There is no project ${ref} in this Supabase account.`, {
      found: `no project ${ref}`,
      needed: "a project that Berth's access token can see",
      fix: "Check the reference, and that the token's account is a member of its organization.",
    });
  }
}

/** A bucket's limit lies above the project's own, which depends on its plan (413). */
export class BucketLimitError extends BerthError {
  constructor(bucket: string, bytes: number | undefined) {
    super("bucket_limit", `The project allows no files as large as the bucket ${bucket} needs.`, {
      found: "the project's own limit for files is lower (413)",
      needed: bytes === undefined ? "a higher limit" : `a limit of at least ${bytes} bytes`,
      fix: "Raise the “Global file size limit” in Supabase → Storage → Settings, where the project's plan allows it, then retry.",
    });
  }
}

/** Somebody else already signed up in the project with the owner's address. */
export class OwnerAddressTakenError extends BerthError {
  constructor() {
    super("owner_address_taken", "The project already has a user with the owner's address.", {
      found: "a user with the owner's address that Berth did not make",
      needed: "no such user, since nobody can say whether it is the customer",
      fix: "Look at it in Supabase → Authentication → Users. Delete it, or, if it is the customer, set its app metadata berth_role to “owner”; then retry.",
    });
  }
}

/** The owner's account is no longer there. */
export class OwnerMissingError extends BerthError {
  constructor() {
    super("owner_missing", "The project has no user with the owner's address.", {
      found: "no user with the owner's address",
      needed: "the owner's account",
      fix: "Run the step “owner” again; it makes the account.",
    });
  }
}

/** Until the window ends, from the headers of a 429; a minute is Supabase's whole window. */
function resetAfterMs(headers: Headers): number {
  const text = headers.get("x-ratelimit-reset") ?? headers.get("retry-after") ?? "";
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 60;
  return Math.min(Math.max(seconds, 1), 3_600) * 1_000;
}

/** What any answer of Supabase means by its status alone, or `null` if it must be read. */
export function failureOfStatus(host: string, status: number, headers: Headers): BerthError | null {
  if (status === 540) {
    return new ProjectPausedError(host, "the project's gateway says that it is paused (540)");
  }
  if (status === 544) return new ProjectTimeoutError(host);
  if (status === 402) return new ProjectRestrictedError(host);
  if (status === 429) return new SupabaseRateLimitError(host, resetAfterMs(headers));
  if (status >= 500) return new SupabaseFailureError(host, status);
  if (status >= 300 && status < 400) {
    return new SupabaseAnswerError(host, `it redirects (${status}), which Berth does not follow`);
  }
  return null;
}

/** A project whose name is gone from the DNS is paused or deleted; other failures stay as they are. */
export function failureToReach(host: string, error: unknown): unknown {
  if (!(error instanceof OutboundNameError)) return error;
  return new ProjectPausedError(host, `the DNS knows no address for ${host}`, error);
}

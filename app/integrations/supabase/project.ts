import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Bucket, isAsWanted, readBucket } from "./buckets.ts";
import {
  BucketLimitError,
  failureOfStatus,
  failureToReach,
  KeyRefusedError,
  OwnerAddressTakenError,
  OwnerMissingError,
  SupabaseAnswerError,
  SupabaseFailureError,
} from "./errors.ts";

export interface ProjectOptions {
  /** The project's origin, `https://<ref>.supabase.co`. */
  url: string;
  /** For what only the server may do, the service-role or secret key. */
  key: string;
  guard: OutboundGuard;
  /** For each call; 15 s by default. */
  timeoutMs?: number;
}

/**
 * What Auth tells of itself to anybody with a key, by the names of the Management API; null for what
 * this Auth does not tell.
 */
export interface AuthSettings {
  disable_signup: boolean;
  external_email_enabled: boolean | null;
  external_phone_enabled: boolean | null;
  external_anonymous_users_enabled: boolean | null;
  mailer_autoconfirm: boolean | null;
}

export interface ServiceHealth {
  service: "auth" | "storage";
  ok: boolean;
}

export interface Project {
  /** Proves that the gateway accepts the key, of whichever role. */
  authSettings(): Promise<AuthSettings>;
  /** Proves that the key may administer users. */
  proveAdmin(): Promise<void>;
  /** The id of the owner's account; null while there is none. @throws OwnerAddressTakenError */
  findOwner(email: string): Promise<string | null>;
  /** The owner's account, made if it is missing. @throws OwnerAddressTakenError */
  ensureOwner(owner: {
    email: string;
    name: string;
  }): Promise<{ userId: string; created: boolean }>;
  /** A fresh link of one use that signs the owner in. @throws OwnerMissingError */
  ownerLink(email: string, redirectTo?: string): Promise<string>;
  /** The bucket of that name; null while there is none. */
  findBucket(id: string): Promise<Bucket | null>;
  /**
   * The bucket, made if it is missing, and changed where it is not as asked for.
   * @throws BucketLimitError
   */
  ensureBucket(bucket: Bucket): Promise<"created" | "updated" | "already_there">;
  health(): Promise<ServiceHealth[]>;
}

const settingsAnswer = z.object({
  disable_signup: z.boolean(),
  external: z.record(z.string(), z.unknown()).optional(),
  mailer_autoconfirm: z.boolean().nullish().catch(null),
});

/** Of supabase-js's errors only this much is read; their messages may quote what was sent. */
interface CallError {
  code?: string;
  status?: number;
  statusCode?: string;
}

/** Codes of Storage, by either of the names that its versions give them. */
const NO_BUCKET = ["404", "NoSuchBucket"];
const DUPLICATE = ["409", "Duplicate"];
const TOO_LARGE = ["413", "EntityTooLarge"];

const usersPerPage = 200;
const pagesToSearch = 5;

/**
 * Asks the gateway who it is, without any key: every answer of it, a refusal too, names the
 * project in the header `sb-project-ref`.
 * @returns the reference, or `null` if the answer names none
 * @throws ProjectPausedError and the other failures of `errors.ts` and of the guard, but none
 *   about keys
 */
export async function identifyProject(
  options: Omit<ProjectOptions, "key">,
): Promise<{ ref: string | null }> {
  const { url, host } = options.guard.checkUrl(options.url);
  const limits = { timeoutMs: options.timeoutMs ?? 15_000, maxBytes: 1024 * 1024 };
  const { status, headers } = await options.guard
    .fetch(`${url.origin}/auth/v1/settings`, limits)
    .catch((error: unknown) => {
      throw failureToReach(host, error);
    });
  const failure = failureOfStatus(host, status, headers);
  if (failure) throw failure;
  const named = headers.get("sb-project-ref") ?? "";
  return { ref: /^[a-z]{20}$/.test(named) ? named : null };
}

/**
 * A customer's project through its gateway: supabase-js where it offers the call, all of it by
 * way of the outbound guard. Every failure of a call is one of `errors.ts` or of the guard.
 */
export function openProject(options: ProjectOptions): Project {
  const { key, guard, timeoutMs = 15_000 } = options;
  const { url, host } = guard.checkUrl(options.url);
  const limits = { timeoutMs, maxBytes: 4 * 1024 * 1024 };

  /** One call by supabase-js. Errors with an `expected` code are returned, all others thrown. */
  async function call<A extends { data: unknown; error: CallError | null }>(
    act: (client: SupabaseClient) => Promise<A>,
    expected: string[] = [],
  ): Promise<{ data: A["data"]; code: string | null }> {
    const guarded = guard.asFetch(limits);
    let lost: unknown = null;
    let last: Response | null = null;
    const client = createClient(url.origin, key, {
      auth: { autoRefreshToken: false, persistSession: false, detectSessionInUrl: false },
      global: {
        fetch: async (input, init) => {
          try {
            last = await guarded(input, init);
            return last;
          } catch (error) {
            // supabase-js would print what a fetch throws, and pass on its message alone.
            lost = error;
            return Response.json({}, { status: 503 });
          }
        },
      },
    });
    const { data, error } = await act(client).catch(() => {
      throw new SupabaseAnswerError(host, "the answer is not JSON");
    });
    if (lost) throw failureToReach(host, lost);
    if (!error) return { data, code: null };
    const answer = last as Response | null;
    // Storage answers 400 to everything and carries the true code inside.
    const inside = answer?.status === 400 && /^[45]\d\d$/.test(error.statusCode ?? "");
    const status = inside ? Number(error.statusCode) : (answer?.status ?? error.status ?? 0);
    const failure = failureOfStatus(host, status, answer?.headers ?? new Headers());
    if (failure) throw failure;
    const code = error.code ?? error.statusCode ?? "";
    if (expected.includes(code)) return { data, code };
    if (status === 401 || status === 403) throw new KeyRefusedError(host, status);
    const shown = /^\w{1,60}$/.test(code) ? ` “${code}”` : "";
    throw new SupabaseAnswerError(host, `a refusal${shown} with status ${status}`);
  }

  /** One GET that supabase-js does not offer. */
  async function get(path: string) {
    let answer: Awaited<ReturnType<OutboundGuard["fetch"]>>;
    try {
      answer = await guard.fetch(url.origin + path, { headers: { apikey: key }, ...limits });
    } catch (error) {
      throw failureToReach(host, error);
    }
    const { status, headers } = answer;
    const failure = failureOfStatus(host, status, headers);
    if (failure) throw failure;
    if (status === 401 || status === 403) throw new KeyRefusedError(host, status);
    if (status !== 200) throw new SupabaseAnswerError(host, `status ${status} for ${path}`);
    return answer;
  }

  async function listUsers(page: number, perPage: number) {
    const { data } = await call((c) => c.auth.admin.listUsers({ page, perPage }));
    if (!Array.isArray(data.users)) throw new SupabaseAnswerError(host, "it lists no users");
    return data.users;
  }

  /** By pages, since Auth documents no search; what lies beyond them is left to Auth itself. */
  async function findUser(email: string) {
    for (let page = 1; page <= pagesToSearch; page += 1) {
      const users = await listUsers(page, usersPerPage);
      const user = users.find((one) => one.email?.toLowerCase() === email);
      if (user) return user;
      if (users.length < usersPerPage) return null;
    }
    // A recovery link, unlike a magic one, is never made for a user that does not exist.
    const { data } = await call(
      (c) => c.auth.admin.generateLink({ type: "recovery", email }),
      ["user_not_found"],
    );
    return data.user;
  }

  async function findOwner(address: string) {
    const user = await findUser(address);
    // Only a secret key writes app_metadata, so the mark is ours. Anybody can sign up with
    // the owner's address beforehand, and must not become the owner by that.
    if (user && user.app_metadata?.berth_role !== "owner") throw new OwnerAddressTakenError();
    return user;
  }

  async function findBucket(id: string): Promise<Bucket | null> {
    const { data, code } = await call((c) => c.storage.getBucket(id), NO_BUCKET);
    if (code !== null) return null;
    const bucket = readBucket(data);
    if (!bucket) throw new SupabaseAnswerError(host, "this is not a bucket");
    return bucket;
  }

  return {
    async authSettings() {
      const { text } = await get("/auth/v1/settings");
      let json: unknown = null;
      try {
        json = JSON.parse(text);
      } catch {
        // Falls through to the same refusal as JSON of another shape.
      }
      const { data } = settingsAnswer.safeParse(json);
      if (!data) throw new SupabaseAnswerError(host, "these are not the settings of Auth");
      const provider = (name: string) => {
        const isOn = data.external?.[name];
        return typeof isOn === "boolean" ? isOn : null;
      };
      return {
        disable_signup: data.disable_signup,
        external_email_enabled: provider("email"),
        external_phone_enabled: provider("phone"),
        external_anonymous_users_enabled: provider("anonymous_users"),
        mailer_autoconfirm: data.mailer_autoconfirm ?? null,
      };
    },

    async proveAdmin() {
      await listUsers(1, 1);
    },

    async findOwner(email) {
      return (await findOwner(email.toLowerCase()))?.id ?? null;
    },

    async ensureOwner({ email, name }) {
      const address = email.toLowerCase();
      const before = await findOwner(address);
      if (before) return { userId: before.id, created: false };
      const { data, code } = await call(
        (c) =>
          c.auth.admin.createUser({
            email: address,
            // Confirmed, so that nobody else can complete a sign-up with this address; that the
            // owner really has it is proved by Berth's link, which goes there and nowhere else.
            // No password: the link signs in, and the owner chooses one.
            email_confirm: true,
            user_metadata: { name },
            app_metadata: { berth_role: "owner" },
          }),
        ["email_exists"],
      );
      if (data.user) return { userId: data.user.id, created: true };
      const other = code === "email_exists" ? await findOwner(address) : null;
      if (!other) throw new SupabaseAnswerError(host, "the new user is missing in the answer");
      return { userId: other.id, created: false };
    },

    async ownerLink(email, redirectTo) {
      // Of type recovery: it signs in like a magic link, never creates a user, and the session
      // may set a first password even where Auth demands a fresh sign-in for that.
      const { data, code } = await call(
        (c) =>
          c.auth.admin.generateLink({
            type: "recovery",
            email: email.toLowerCase(),
            options: redirectTo === undefined ? {} : { redirectTo },
          }),
        ["user_not_found"],
      );
      if (code === "user_not_found") throw new OwnerMissingError();
      const link = data.properties?.action_link ?? "";
      if (!URL.canParse(link) || new URL(link).pathname !== "/auth/v1/verify") {
        throw new SupabaseAnswerError(host, "the owner's link is missing in the answer");
      }
      // A customer is sent to the project itself, wherever the answer points.
      return url.origin + new URL(link).pathname + new URL(link).search;
    },

    findBucket,

    async ensureBucket(bucket) {
      const { id, fileSizeLimit, allowedMimeTypes } = bucket;
      const options = { public: bucket.public, fileSizeLimit, allowedMimeTypes };
      const refuse = (code: string | null) => {
        if (code !== null && TOO_LARGE.includes(code))
          throw new BucketLimitError(id, fileSizeLimit);
      };
      let before = await findBucket(id);
      if (!before) {
        const { code } = await call(
          (c) => c.storage.createBucket(id, options),
          [...DUPLICATE, ...TOO_LARGE],
        );
        refuse(code);
        if (code === null) return "created";
        // Somebody made it since.
        before = await findBucket(id);
      }
      if (before && isAsWanted(before, bucket)) return "already_there";
      const { code } = await call((c) => c.storage.updateBucket(id, options), TOO_LARGE);
      refuse(code);
      const after = await findBucket(id);
      if (after && isAsWanted(after, bucket)) return "updated";
      throw new SupabaseAnswerError(host, `the bucket ${id} is not as it was just set`);
    },

    async health() {
      const works = async (service: ServiceHealth["service"], proof: Promise<unknown>) => {
        try {
          await proof;
          return { service, ok: true };
        } catch (error) {
          if (error instanceof SupabaseFailureError) return { service, ok: false };
          throw error;
        }
      };
      return Promise.all([
        works("auth", get("/auth/v1/health")),
        works(
          "storage",
          call((c) => c.storage.listBuckets()),
        ),
      ]);
    },
  };
}

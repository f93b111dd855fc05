import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { isAPIError } from "better-auth/api";
import { deriveKey } from "#app/platform/crypto/derive.ts";
import * as tables from "#db/auth.ts";
import type { Db } from "#db/index.ts";

/** Shortest password accepted; there are no rules about its composition (NIST SP 800-63B). */
export const MIN_PASSWORD_LENGTH = 12;
export const MAX_PASSWORD_LENGTH = 128;

/** A session ends by itself after so many days without a visit. */
const SESSION_DAYS = 7;
const DAY_SECONDS = 24 * 3_600;
/** What the names of our cookies begin with. */
export const COOKIE_PREFIX = "berth";

export interface AuthOptions {
  /** A pool under the login role `berth_auth`. */
  db: Db;
  /** The application's secret; what signs sessions is derived from it. */
  appSecret: string;
  publicUrl: string;
  /** Told of what went wrong inside better-auth; refusals are answers, not errors. */
  onError: (message: string, cause: unknown) => void;
}

/**
 * better-auth, set up for Berth: accounts are made by Berth alone, API keys belong to people and
 * carry scopes. Its own rate limits are off, since ours count across processes.
 */
export function createAuth({ db, appSecret, publicUrl, onError }: AuthOptions) {
  return betterAuth({
    baseURL: publicUrl,
    secret: deriveKey(appSecret, "better-auth").toString("base64"),
    logger: {
      level: "error",
      log: (_level, message, cause) => {
        if (!isAPIError(cause)) onError(message, cause);
      },
    },
    telemetry: { enabled: false },
    database: drizzleAdapter(db, { provider: "pg", schema: tables, transaction: true }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: MIN_PASSWORD_LENGTH,
      maxPasswordLength: MAX_PASSWORD_LENGTH,
    },
    rateLimit: { enabled: false },
    session: {
      expiresIn: SESSION_DAYS * DAY_SECONDS,
      updateAge: DAY_SECONDS,
      // A cached session would outlive its revocation.
      cookieCache: { enabled: false },
    },
    advanced: { cookiePrefix: COOKIE_PREFIX, useSecureCookies: publicUrl.startsWith("https:") },
    plugins: [
      apiKey({
        defaultPrefix: "berth_",
        enableMetadata: false,
        requireName: true,
        rateLimit: { enabled: false },
        keyExpiration: { defaultExpiresIn: null },
        startingCharactersConfig: { shouldStore: true, charactersLength: 10 },
      }),
    ],
  });
}

export type Auth = ReturnType<typeof createAuth>;

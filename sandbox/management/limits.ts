import { createHash } from "node:crypto";

const WINDOW_MS = 60_000;

/** What a call's headers say about the limit. */
export interface LimitState {
  allowed: boolean;
  headers: Record<string, string>;
}

/**
 * Counts requests per caller and project or organization in windows of a minute. The headers
 * are those of the Management API's documentation; Reset is in seconds.
 */
export function createLimiter(requestsPerMinute: number) {
  const windows = new Map<string, { ends: number; count: number }>();
  return {
    take(token: string, scope: string): LimitState {
      const now = Date.now();
      for (const [key, window] of windows) if (window.ends <= now) windows.delete(key);
      const key = `${createHash("sha256").update(token).digest("base64")} ${scope}`;
      const window = windows.get(key) ?? { ends: now + WINDOW_MS, count: 0 };
      window.count += 1;
      windows.set(key, window);
      return {
        allowed: window.count <= requestsPerMinute,
        headers: {
          "x-ratelimit-limit": `${requestsPerMinute}`,
          "x-ratelimit-remaining": `${Math.max(0, requestsPerMinute - window.count)}`,
          "x-ratelimit-reset": `${Math.ceil((window.ends - now) / 1_000)}`,
        },
      };
    },
  };
}

export type Limiter = ReturnType<typeof createLimiter>;

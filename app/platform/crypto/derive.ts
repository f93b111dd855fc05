import { hkdfSync } from "node:crypto";

/** A key of 32 bytes for one purpose, derived from the application's secret (HKDF, RFC 5869). */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "berth", purpose, 32));
}

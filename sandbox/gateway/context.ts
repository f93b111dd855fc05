import { errors, jwtVerify } from "jose";
import type { AuthSettings } from "../management/auth-config.ts";
import type { Answer, Call } from "../platform/http.ts";
import type { Databases } from "../projects/databases.ts";
import { type AcceptedKey, recogniseKey } from "../projects/keys.ts";
import type { Project } from "../projects/project.ts";

/** What a handler of the gateway needs to know besides the call itself. */
export interface GatewayContext {
  project: Project;
  origin: string;
  config: AuthSettings;
  databases: Databases;
  /** The API key that the gateway accepted; routes that need none have null. */
  key: AcceptedKey | null;
}

/** Handles one route of a project's gateway. */
export type GatewayHandler = (call: Call, context: GatewayContext) => Promise<Answer> | Answer;

/** Who a call is made as, once its bearer token is read. */
export type Bearer =
  | { kind: "none" }
  | { kind: "bad"; reason: string }
  | { kind: "token"; role: string; claims: Record<string, unknown> };

const bytes = (secret: string) => new TextEncoder().encode(secret);

/**
 * Reads who the caller is. A key of the new kind stands for a token of its role when it comes
 * alone in `apikey` or twice alike; a legacy key in `apikey` alone is no token.
 */
export async function readBearer(call: Call, context: GatewayContext): Promise<Bearer> {
  const { project, key } = context;
  const token = /^Bearer\s+(\S+)$/i.exec(call.header("authorization") ?? "")?.[1];
  const apikey = call.header("apikey") ?? call.query.get("apikey");
  if (key?.kind === "new" && (!token || token === apikey)) {
    return { kind: "token", role: key.role, claims: { role: key.role } };
  }
  if (!token) return { kind: "none" };
  const accepted = recogniseKey(project, token);
  if (accepted?.kind === "legacy") {
    return { kind: "token", role: accepted.role, claims: { role: accepted.role } };
  }
  try {
    const { payload } = await jwtVerify(token, bytes(project.jwtSecret), { algorithms: ["HS256"] });
    return { kind: "token", role: `${payload.role ?? ""}`, claims: payload };
  } catch (error) {
    const expired = error instanceof errors.JWTExpired;
    const shaped = token.split(".").length === 3;
    if (expired) return { kind: "bad", reason: "token has invalid claims: token is expired" };
    return {
      kind: "bad",
      reason: shaped
        ? "unable to parse or verify signature, token signature is invalid: signature is invalid"
        : "unable to parse or verify signature, token is malformed: token contains an invalid number of segments",
    };
  }
}

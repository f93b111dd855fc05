import { type Answer, type Call, jsonObject } from "../../platform/http.ts";
import { type Bearer, type GatewayContext, readBearer } from "../context.ts";

/** A refusal of Auth, in the words and codes of the real one. */
export class AuthRefusal extends Error {
  override name = "AuthRefusal";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Auth's answer to a refusal: status, `error_code` and `msg`. */
export function refusalAnswer(refusal: AuthRefusal): Answer {
  return {
    status: refusal.status,
    json: { code: refusal.status, error_code: refusal.code, msg: refusal.message },
    headers: { "x-sb-error-code": refusal.code },
  };
}

/** The body as a JSON object. Throws AuthRefusal (400 bad_json). */
export function authBody(call: Call): Record<string, unknown> {
  const body = call.body.length === 0 ? {} : jsonObject(call);
  if (!body) throw new AuthRefusal(400, "bad_json", "Could not parse request body as JSON");
  return body;
}

/** The caller's token. Throws AuthRefusal: 401 without one, 403 with one that is not ours. */
export async function requireToken(
  call: Call,
  context: GatewayContext,
): Promise<Extract<Bearer, { kind: "token" }>> {
  const bearer = await readBearer(call, context);
  if (bearer.kind === "none") {
    throw new AuthRefusal(401, "no_authorization", "This endpoint requires a valid Bearer token");
  }
  if (bearer.kind === "bad") throw new AuthRefusal(403, "bad_jwt", `invalid JWT: ${bearer.reason}`);
  return bearer;
}

/** Lets only a service key pass. Throws AuthRefusal, 403 not_admin for other roles. */
export async function requireAdmin(call: Call, context: GatewayContext): Promise<void> {
  const { role } = await requireToken(call, context);
  if (role !== "service_role" && role !== "supabase_admin") {
    throw new AuthRefusal(403, "not_admin", "User not allowed");
  }
}

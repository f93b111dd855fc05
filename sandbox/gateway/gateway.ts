import type { CallCounter } from "../calls.ts";
import type { Faults } from "../faults.ts";
import { authConfig } from "../management/auth-config.ts";
import { welcomePage } from "../page/welcome.ts";
import { type Answer, type Call, createRouter, type Listening, listen } from "../platform/http.ts";
import type { Logger } from "../platform/log.ts";
import { serve } from "../platform/serve.ts";
import type { Databases } from "../projects/databases.ts";
import { recogniseKey } from "../projects/keys.ts";
import { isUp, originOf, type Project } from "../projects/project.ts";
import { accountRoutes } from "./auth/account.ts";
import { adminUserRoutes } from "./auth/admin-users.ts";
import { AuthRefusal, refusalAnswer } from "./auth/errors.ts";
import { linkRoutes } from "./auth/links.ts";
import type { GatewayContext, GatewayHandler } from "./context.ts";
import { RestRefusal, restRefusalAnswer } from "./rest/errors.ts";
import { functionRoutes } from "./rest/functions.ts";
import { tableRoutes } from "./rest/tables.ts";
import { StorageRefusal, storageRefusalAnswer, storageRoutes } from "./storage.ts";

/** Paths that people's browsers open, so no API key is asked for. */
const OPEN = new Set(["GET /auth/v1/verify", "GET /welcome", "GET /"]);

/** The Data API's root describes the schema, and since April 2026 not to public keys. */
const restRoot: GatewayHandler = (_call, { key }) =>
  key?.role === "service_role"
    ? {
        status: 200,
        json: { swagger: "2.0", info: { title: "stand-in", version: "14" }, paths: {} },
      }
    : {
        status: 401,
        json: {
          message: "Secret API key required",
          hint: "Only secret API keys can be used for this endpoint.",
        },
      };

const routes: Record<string, GatewayHandler> = {
  ...accountRoutes,
  ...adminUserRoutes,
  ...linkRoutes,
  ...storageRoutes,
  "GET /rest/v1": restRoot,
  "HEAD /rest/v1": restRoot,
  ...tableRoutes,
  ...functionRoutes,
  "GET /welcome": (_call, context) => welcomePage(context.project),
  "GET /": (_call, context) => ({
    status: 302,
    headers: { location: `${context.origin}/welcome` },
  }),
};
const findRoute = createRouter(routes as Record<string, never>);

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers":
    "x-total-count, link, x-sb-error-code, content-range, location, preference-applied",
};

const PREFLIGHT: Answer = {
  status: 204,
  headers: {
    "access-control-allow-methods": "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS",
    "access-control-allow-headers":
      "apikey,authorization,content-type,x-client-info,x-supabase-api-version,accept-profile,content-profile,prefer,range",
  },
};

/** What the gateway says for a project that is not up; null when it is. */
function notUp(project: Project, faults: Faults): Answer | null {
  if (
    project.status === "INACTIVE" ||
    project.status === "PAUSING" ||
    faults.actsPaused(project.ref)
  ) {
    return { status: 540, json: { message: "Project paused" } };
  }
  if (isUp(project)) return null;
  return { status: 544, json: { message: "Project gateway timeout" } };
}

function nothingHere(path: string): Answer {
  if (path.startsWith("/auth/v1/")) return { status: 404, json: { message: "404 page not found" } };
  const message = "This stand-in has no such route; sandbox/README.md lists those it has.";
  if (path.startsWith("/storage/v1/")) {
    return { status: 400, json: { statusCode: "404", error: "Not Found", message } };
  }
  return { status: 404, json: { message } };
}

/** Opens a project's gateway on its port. Throws what `listen` throws (EADDRINUSE). */
export function openGateway(o: {
  project: Project;
  databases: Databases;
  faults: Faults;
  counter: CallCounter;
  log: Logger;
}): Promise<Listening> {
  const { project, databases } = o;
  const origin = originOf(project);

  async function answer(call: Call): Promise<Answer> {
    if (call.method === "OPTIONS") return PREFLIGHT;
    const found = findRoute(call.method, call.path);
    const name = found?.route.name ?? `${call.method} ${call.path}`;
    const made = notUp(project, o.faults) ?? (await keyed(call, name, found?.params ?? {}));
    o.counter.count(project.ref, name, made.status);
    return made;
  }

  async function keyed(call: Call, name: string, params: Record<string, string>): Promise<Answer> {
    const given = call.header("apikey") ?? call.query.get("apikey");
    const key = given ? recogniseKey(project, given) : null;
    if (!OPEN.has(name)) {
      if (!given) {
        const hint = "No `apikey` request header or url param was found.";
        return { status: 401, json: { message: "No API key found in request", hint } };
      }
      if (!key) {
        const hint = "Double check your Supabase `anon` or `service_role` API key.";
        return { status: 401, json: { message: "Invalid API key", hint } };
      }
    }
    const handler = routes[name];
    if (!handler) return nothingHere(call.path);
    const config = authConfig(project.authConfig, origin);
    const context: GatewayContext = { project, origin, config, databases, key };
    try {
      return await handler({ ...call, params }, context);
    } catch (error) {
      if (error instanceof AuthRefusal) return refusalAnswer(error);
      if (error instanceof StorageRefusal) return storageRefusalAnswer(error);
      if (error instanceof RestRefusal) return restRefusalAnswer(error);
      throw error;
    }
  }

  const service = {
    log: o.log,
    headers: { ...CORS, "sb-project-ref": project.ref },
    strike: (call: Call) => o.faults.strike(project.ref, `${call.method} ${call.path}`),
    tooMany: () => ({
      ...refusalAnswer(
        new AuthRefusal(429, "over_request_rate_limit", "Request rate limit reached"),
      ),
      headers: { "retry-after": "1" },
    }),
    answer,
  };
  return listen(project.port, (request, response) => void serve(service, request, response));
}

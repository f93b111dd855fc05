import { timingSafeEqual } from "node:crypto";
import type { Faults } from "../faults.ts";
import { type Answer, type Call, createRouter } from "../platform/http.ts";
import type { Databases } from "../projects/databases.ts";
import type { Lifecycle } from "../projects/lifecycle.ts";
import { isUp, type Project } from "../projects/project.ts";
import type { ProjectStore } from "../projects/store.ts";
import type { SandboxSettings } from "../settings.ts";
import { refuse } from "./checks.ts";
import { configRoutes } from "./config.ts";
import { keyAndHealthRoutes } from "./keys-and-health.ts";
import type { Limiter, LimitState } from "./limits.ts";
import { projectRoutes } from "./projects.ts";

/** What the Management API's routes work with. */
export interface ManagementParts {
  settings: SandboxSettings;
  store: ProjectStore;
  databases: Databases;
  lifecycle: Lifecycle;
  faults: Faults;
  limiter: Limiter;
  poolerPort(): number;
}

/** A route; `project` is there whenever the path has `:ref`. */
export type ManagementHandler = (call: Call, project: Project) => Promise<Answer> | Answer;

/** The Management API: an answer, and what to count it as. */
interface ManagementApi {
  answer(call: Call): Promise<{ answer: Answer; route: string; ref: string | null }>;
}

/** Routes that need the project's database to run. */
const NEEDS_DATABASE = new Set([
  "POST /v1/projects/:ref/database/query",
  "PATCH /v1/projects/:ref/database/password",
]);

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The answer of the limit when it is exceeded. */
export function tooManyRequests(limit: LimitState): Answer {
  return { ...refuse(429, "ThrottlerException: Too Many Requests"), headers: limit.headers };
}

/** Puts the Management API's routes together. */
export function createManagementApi(parts: ManagementParts): ManagementApi {
  const routes: Record<string, ManagementHandler> = {
    ...projectRoutes(parts),
    ...keyAndHealthRoutes(parts),
    ...configRoutes(parts),
  };
  const findRoute = createRouter(routes as Record<string, never>);

  async function authorised(
    call: Call,
  ): Promise<{ answer: Answer; ref: string | null; route: string }> {
    const found = findRoute(call.method, call.path);
    const ref = found?.params.ref ?? null;
    const route = found?.route.name ?? `${call.method} ${call.path}`;
    const as = (answer: Answer) => ({ answer, ref, route });
    const handler = found ? routes[found.route.name] : undefined;
    if (!handler) return as(refuse(404, `Cannot ${call.method} ${call.path}`));
    if (ref === null) return as(await handler(call, undefined as never));
    if (!/^[a-z]{20}$/.test(ref)) return as(refuse(400, "ref: must be 20 letters a-z"));
    const project = parts.store.find(ref);
    if (!project) return as(refuse(404, "Project not found"));
    if (project.status === "REMOVED") return as(refuse(400, "Resource has been removed"));
    if (NEEDS_DATABASE.has(route) && !isUp(project)) {
      return as(refuse(400, `Project is not active; its status is ${project.status}`));
    }
    return as(await handler({ ...call, params: found?.params ?? {} }, project));
  }

  return {
    async answer(call) {
      const token = /^Bearer\s+(\S+)$/i.exec(call.header("authorization") ?? "")?.[1];
      const nobody = { ref: null, route: `${call.method} ${call.path}` };
      if (!token) return { ...nobody, answer: refuse(401, "Unauthorized") };
      if (!sameText(token, parts.settings.accessToken)) {
        return { ...nobody, answer: refuse(401, "JWT could not be decoded") };
      }
      const scope = /^\/v1\/projects\/([^/]+)/.exec(call.path)?.[1] ?? parts.settings.organization;
      const limit = parts.limiter.take(token, scope);
      if (!limit.allowed) return { ...nobody, answer: tooManyRequests(limit) };
      const made = await authorised(call);
      const headers = { ...limit.headers, ...made.answer.headers };
      return { ...made, answer: { ...made.answer, headers } };
    },
  };
}

import type { CallCounter } from "./calls.ts";
import { FaultFormatError, type Faults } from "./faults.ts";
import { bool, type Check, checkBody, oneOf, refuse, text } from "./management/checks.ts";
import { REGIONS } from "./management/projects.ts";
import { type Answer, type Call, type Handler, jsonObject } from "./platform/http.ts";
import { type Lifecycle, NoPortLeftError, WrongStatusError } from "./projects/lifecycle.ts";
import {
  directUrl,
  type GrantMode,
  type KeyKinds,
  originOf,
  type Project,
  poolerUrl,
} from "./projects/project.ts";
import type { ProjectStore } from "./projects/store.ts";

/** Longest wait of `?wait=1`, in milliseconds. */
const WAIT_MS = 60_000;

/** The choices of a creation, for the JSON interface and the page alike. */
export const GRANT_MODES: GrantMode[] = ["2026-10", "legacy"];
export const KEY_KINDS: KeyKinds[] = ["both", "legacy", "new"];

const CREATE: Record<string, Check> = {
  name: text(256, true),
  region: oneOf(REGIONS),
  grants: oneOf(GRANT_MODES),
  keys: oneOf(KEY_KINDS),
  readyAfterMs: {
    ok: (value) => Number.isInteger(value) && (value as number) >= 0,
    must: "must be a whole number of milliseconds",
  },
  wait: bool,
};

/** All that a person would copy at Supabase, for scripts. Keys of a kind it lacks are null. */
export function credentialsJson(project: Project, poolerPort: number, caFile: string) {
  const legacy = project.keys !== "new";
  const recent = project.keys !== "legacy";
  return {
    ref: project.ref,
    name: project.name,
    status: project.status,
    grants: project.grants,
    region: project.region,
    url: originOf(project),
    anonKey: legacy ? project.anonKey : null,
    serviceRoleKey: legacy ? project.serviceRoleKey : null,
    publishableKey: recent ? project.publishableKey : null,
    secretKey: recent ? project.secretKey : null,
    databaseUrl: poolerUrl(project, poolerPort),
    directUrl: project.databasePort ? directUrl(project) : null,
    caFile,
  };
}

/** What the control routes work with. */
export interface ControlParts {
  store: ProjectStore;
  lifecycle: Lifecycle;
  faults: Faults;
  counter: CallCounter;
  caFile: string;
  poolerPort(): number;
}

/** Answers 400 where a fault could not be understood. */
const understood =
  (act: (call: Call) => Answer): Handler =>
  (call) => {
    try {
      return act(call);
    } catch (error) {
      if (error instanceof FaultFormatError) return refuse(400, error.message);
      throw error;
    }
  };

/** The sandbox's own routes: projects for scripts, faults, counters. No token is asked for. */
export function controlRoutes(parts: ControlParts): Record<string, Handler> {
  const { store, lifecycle, faults, counter } = parts;
  const show = (project: Project) => credentialsJson(project, parts.poolerPort(), parts.caFile);

  const withProject =
    (act: (project: Project, call: Call) => Answer): Handler =>
    (call) => {
      const project = store.find(call.params.ref ?? "");
      return project ? act(project, call) : refuse(404, "Project not found");
    };

  return {
    "GET /healthz": () => ({ status: 200, json: { status: "ok" } }),
    "GET /sandbox/projects": () => ({
      status: 200,
      json: {
        projects: store
          .all()
          .filter((p) => p.status !== "REMOVED")
          .map(show),
      },
    }),
    "POST /sandbox/projects": async (call) => {
      const body = jsonObject(call);
      const refusal = checkBody(body, CREATE);
      if (refusal) return refusal;
      try {
        const project = await lifecycle.create(
          body as unknown as Parameters<Lifecycle["create"]>[0],
        );
        if (call.query.get("wait") === "1" || body?.wait === true) {
          await lifecycle.untilHealthy(project, WAIT_MS);
        }
        return { status: 201, json: show(project) };
      } catch (error) {
        if (error instanceof NoPortLeftError) return refuse(400, error.message);
        if (error instanceof WrongStatusError) return refuse(504, error.message);
        throw error;
      }
    },
    "GET /sandbox/projects/:ref": withProject((project) => ({ status: 200, json: show(project) })),
    "GET /sandbox/projects/:ref/calls": withProject((project) => ({
      status: 200,
      json: counter.of(project.ref),
    })),
    "DELETE /sandbox/projects/:ref/calls": withProject((project) => {
      counter.reset(project.ref);
      return { status: 204 };
    }),
    "GET /sandbox/faults": () => ({ status: 200, json: { faults: faults.list() } }),
    "PUT /sandbox/faults": understood((call) => {
      faults.replace(jsonObject(call));
      return { status: 200, json: { faults: faults.list() } };
    }),
    "POST /sandbox/faults": understood((call) => ({
      status: 201,
      json: faults.add(jsonObject(call)),
    })),
    "DELETE /sandbox/faults": (call) => {
      faults.clear(call.query.get("ref"));
      return { status: 204 };
    },
  };
}

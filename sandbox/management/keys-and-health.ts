import { createHash } from "node:crypto";
import { AUTH_VERSION } from "../gateway/auth/account.ts";
import type { Answer } from "../platform/http.ts";
import { isUp, type Project } from "../projects/project.ts";
import type { ManagementHandler, ManagementParts } from "./api.ts";
import { refuse } from "./checks.ts";

const SERVICES = [
  "auth",
  "db",
  "db_postgres_user",
  "pooler",
  "realtime",
  "rest",
  "storage",
  "pg_bouncer",
];

/** How much of a secret key stays readable when it is not revealed. */
const PREFIX_LENGTH = 15;

function apiKeys(project: Project, reveal: boolean) {
  const key = (id: string, type: string, name: string, value: string, secret: boolean) => ({
    api_key: secret && !reveal ? `${value.slice(0, PREFIX_LENGTH)}${"·".repeat(12)}` : value,
    id,
    type,
    prefix: type === "legacy" ? null : value.slice(0, PREFIX_LENGTH),
    name,
    description: null,
    hash: createHash("sha256").update(value).digest("hex"),
    secret_jwt_template: type === "secret" ? { role: "service_role" } : null,
    inserted_at: project.createdAt,
    updated_at: project.createdAt,
  });
  /** The new kind's ids are uuids; these are made of the ref, so that they stay the same. */
  const uuid = (name: string) => {
    const hex = createHash("sha256").update(`${project.ref} ${name}`).digest("hex");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
  const legacy = [
    key("anon", "legacy", "anon", project.anonKey, false),
    key("service_role", "legacy", "service_role", project.serviceRoleKey, true),
  ];
  const recent = [
    key(uuid("publishable"), "publishable", "default", project.publishableKey, false),
    key(uuid("secret"), "secret", "default", project.secretKey, true),
  ];
  return [...(project.keys === "new" ? [] : legacy), ...(project.keys === "legacy" ? [] : recent)];
}

/** Routes that tell of a project's keys and of its services' health. */
export function keyAndHealthRoutes(parts: ManagementParts): Record<string, ManagementHandler> {
  const { databases, faults } = parts;

  async function databaseError(project: Project): Promise<string | null> {
    try {
      const pool = await databases.pool(project, "supabase_admin");
      await pool.query("select 1");
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  return {
    "GET /v1/projects/:ref/api-keys": (call, project) => ({
      status: 200,
      json: apiKeys(project, call.query.get("reveal") === "true"),
    }),
    "GET /v1/projects/:ref/health": async (call, project): Promise<Answer> => {
      const wanted = call.query.getAll("services").flatMap((part) => part.split(","));
      const unknown = wanted.find((name) => !SERVICES.includes(name));
      if (wanted.length === 0 || unknown !== undefined) {
        return refuse(400, `services: must be some of ${SERVICES.join(", ")}`);
      }
      const ready = isUp(project) && !faults.actsPaused(project.ref);
      const starting = ["UNKNOWN", "COMING_UP", "RESTORING"].includes(project.status);
      const error = ready ? await databaseError(project) : null;
      const healthy = ready && !error;
      return {
        status: 200,
        json: wanted.map((name) => ({
          name,
          healthy,
          status: healthy ? "ACTIVE_HEALTHY" : starting ? "COMING_UP" : "UNHEALTHY",
          ...(name === "auth" && healthy
            ? {
                info: {
                  name: "GoTrue",
                  version: AUTH_VERSION,
                  description: "GoTrue is a user registration and authentication API",
                },
              }
            : {}),
          ...(healthy || starting ? {} : { error: error ?? "Service is not running" }),
        })),
      };
    },
  };
}

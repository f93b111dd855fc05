import { jsonObject } from "../platform/http.ts";
import { NoPortLeftError, WrongStatusError } from "../projects/lifecycle.ts";
import type { Project } from "../projects/project.ts";
import type { ManagementHandler, ManagementParts } from "./api.ts";
import { bool, checkBody, oneOf, refuse, text } from "./checks.ts";

/** The regions that the Management API names. */
export const REGIONS = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "ap-east-1",
  "ap-southeast-1",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-southeast-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eu-north-1",
  "eu-central-1",
  "eu-central-2",
  "ca-central-1",
  "ap-south-1",
  "sa-east-1",
];

/** Which region a smart group picks here. */
const GROUPS: Record<string, string> = {
  americas: "us-east-1",
  emea: "eu-central-1",
  apac: "ap-southeast-1",
};

const SIZES = ["nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge"].concat([
  "8xlarge",
  "12xlarge",
  "16xlarge",
  "24xlarge",
  "48xlarge",
]);

const isRegionSelection = (value: unknown): value is { type: string; code: string } => {
  const { type, code } = (value ?? {}) as { type?: unknown; code?: unknown };
  if (typeof code !== "string") return false;
  return type === "specific" ? REGIONS.includes(code) : type === "smartGroup" && code in GROUPS;
};

const CREATE = {
  name: text(256, true),
  db_pass: text(256, true),
  organization_slug: text(256, true),
  organization_id: text(256),
  plan: oneOf(["free", "pro"]),
  region: oneOf(REGIONS),
  region_selection: {
    ok: isRegionSelection,
    must: "must be {type: 'specific', code: <region>} or {type: 'smartGroup', code: americas|emea|apac}",
  },
  kps_enabled: bool,
  desired_instance_size: oneOf(SIZES),
  template_url: text(2_000),
};

/** A project as the answer to its creation shows it. */
const projectJson = (project: Project) => ({
  id: project.ref,
  ref: project.ref,
  organization_id: project.organizationSlug,
  organization_slug: project.organizationSlug,
  name: project.name,
  region: project.region,
  created_at: project.createdAt,
  status: project.status,
});

/** A project as GET shows it: with its database's host. */
const projectWithDatabaseJson = (project: Project) => ({
  ...projectJson(project),
  database: {
    host: "127.0.0.1",
    version: "17.10.0.1",
    postgres_engine: "17",
    release_channel: "ga",
  },
});

/** Routes for the organization and the life of projects. */
export function projectRoutes(parts: ManagementParts): Record<string, ManagementHandler> {
  const { settings, store, lifecycle } = parts;
  const actOn =
    (act: (project: Project) => Promise<void>, json?: (project: Project) => unknown) =>
    async (_call: unknown, project: Project) => {
      try {
        await act(project);
        return { status: 200, json: json?.(project) };
      } catch (error) {
        if (error instanceof WrongStatusError) return refuse(400, error.message);
        throw error;
      }
    };
  return {
    "GET /v1/organizations": () => ({
      status: 200,
      json: [
        { id: settings.organization, slug: settings.organization, name: "Local organization" },
      ],
    }),
    "GET /v1/projects": () => ({
      status: 200,
      json: store
        .all()
        .filter((project) => project.status !== "REMOVED")
        .map(projectWithDatabaseJson),
    }),
    "POST /v1/projects": async (call) => {
      const body = jsonObject(call);
      const refusal = checkBody(body, CREATE);
      if (refusal || !body) return refusal ?? refuse(400, "No body");
      if (body.organization_slug !== settings.organization) {
        return refuse(403, "You do not have access to this organization");
      }
      const selection = body.region_selection as { type: string; code: string } | undefined;
      const code = selection?.type === "smartGroup" ? GROUPS[selection.code] : selection?.code;
      try {
        const project = await lifecycle.create({
          name: `${body.name}`,
          databasePassword: `${body.db_pass}`,
          region: code ?? (body.region as string | undefined) ?? "eu-central-1",
        });
        return { status: 201, json: { ...projectJson(project), status: "UNKNOWN" } };
      } catch (error) {
        if (error instanceof NoPortLeftError) return refuse(400, error.message);
        throw error;
      }
    },
    "GET /v1/projects/:ref": (_call, project) => ({
      status: 200,
      json: projectWithDatabaseJson(project),
    }),
    "DELETE /v1/projects/:ref": actOn(lifecycle.remove, (project) => ({
      id: project.number,
      ref: project.ref,
      name: project.name,
    })),
    "POST /v1/projects/:ref/pause": actOn(lifecycle.pause),
    "POST /v1/projects/:ref/restore": actOn(lifecycle.restore),
  };
}

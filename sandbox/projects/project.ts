/** How the default privileges of a project's database are set; see sandbox/database. */
export type GrantMode = "2026-10" | "legacy";

/** Which generations of API keys a project has; real ones may lack either. */
export type KeyKinds = "both" | "legacy" | "new";

/** The statuses of the Management API that this stand-in passes through. */
export type ProjectStatus =
  | "UNKNOWN"
  | "COMING_UP"
  | "ACTIVE_HEALTHY"
  | "INIT_FAILED"
  | "PAUSING"
  | "PAUSE_FAILED"
  | "INACTIVE"
  | "RESTORING"
  | "RESTORE_FAILED"
  | "GOING_DOWN"
  | "REMOVED";

/** All that is kept about one project. */
export interface Project {
  /** The integer that the answer to a deletion calls `id`. */
  number: number;
  /** 20 letters a-z. */
  ref: string;
  name: string;
  organizationSlug: string;
  region: string;
  createdAt: string;
  status: ProjectStatus;
  grants: GrantMode;
  keys: KeyKinds;
  readyAfterMs: number;
  /** Port of the project's origin (Auth, Storage, REST). */
  port: number;
  /** Port of the database itself; kept over restarts as long as nobody else takes it. */
  databasePort: number;
  /** Of the role `postgres`. */
  databasePassword: string;
  /** Of supabase_admin and the other roles that only the platform uses. */
  platformPassword: string;
  jwtSecret: string;
  anonKey: string;
  serviceRoleKey: string;
  publishableKey: string;
  secretKey: string;
  /** Whether the database has been copied and given its passwords. */
  databaseReady: boolean;
  /** Only what differs from the defaults of management/auth-config.ts. */
  authConfig: Record<string, unknown>;
}

/** Whether the project's gateway and database answer. */
export const isUp = (project: Project) => project.status === "ACTIVE_HEALTHY";

/** The address of the project's gateway. */
export const originOf = (project: Project) => `http://127.0.0.1:${project.port}`;

/** The connection string through the session pooler, the one a person copies. */
export function poolerUrl(project: Project, poolerPort: number): string {
  const password = encodeURIComponent(project.databasePassword);
  return `postgresql://postgres.${project.ref}:${password}@127.0.0.1:${poolerPort}/postgres`;
}

/** The connection string straight to the database; it answers only while the database runs. */
export function directUrl(project: Project): string {
  const password = encodeURIComponent(project.databasePassword);
  return `postgresql://postgres:${password}@127.0.0.1:${project.databasePort}/postgres`;
}

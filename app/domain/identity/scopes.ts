/** What an API key may do; each route names one. */
export const SCOPES = {
  "customers:read": "Look customers up.",
  "customers:write": "Take in customers and their requests.",
  "connections:test": "Test a Supabase project's credentials.",
  "queue:read": "Read the queue, requests and runs.",
  "queue:work": "Claim, release, supply credentials, retry and cancel.",
  "audit:read": "Read the audit record.",
} as const;

export type Scope = keyof typeof SCOPES;
export const ALL_SCOPES = Object.keys(SCOPES) as Scope[];

/** Scopes as better-auth stores them: resource → actions. */
export function toPermissions(scopes: readonly Scope[]): Record<string, string[]> {
  const permissions: Record<string, string[]> = {};
  for (const scope of scopes) {
    const [resource = "", action = ""] = scope.split(":");
    permissions[resource] = [...(permissions[resource] ?? []), action];
  }
  return permissions;
}

/** The reverse of {@link toPermissions}; what Berth does not know is left out. */
export function fromPermissions(permissions: Record<string, string[]> | null | undefined): Scope[] {
  const given = Object.entries(permissions ?? {}).flatMap(([resource, actions]) =>
    actions.map((action) => `${resource}:${action}`),
  );
  return ALL_SCOPES.filter((scope) => given.includes(scope));
}

/** Pages of Supabase's dashboard that a person is sent to. */
export interface DashboardLinks {
  newProject: string;
  project: string;
  /** The project's URL and its connection strings: the dialog “Connect”. */
  connect: string;
  apiKeys: string;
  /** The database's password. */
  database: string;
}

/**
 * Deep links into Supabase's dashboard. Where the project is not known, `_` stands for it: Supabase
 * asks which one is meant, then goes on to the page. `/new` alone would create an organization.
 */
export function dashboardLinks(dashboardUrl: string, ref?: string | null): DashboardLinks {
  const project = `${dashboardUrl}/project/${ref ?? "_"}`;
  return {
    newProject: `${dashboardUrl}/new/_`,
    project,
    connect: `${project}?showConnect=true&method=session`,
    apiKeys: `${project}/settings/api-keys`,
    database: `${project}/settings/database`,
  };
}

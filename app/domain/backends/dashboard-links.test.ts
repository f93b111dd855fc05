import { expect, test } from "vitest";
import { dashboardLinks } from "./dashboard-links.ts";

const dashboard = "https://supabase.com/dashboard";

test("links lead to a project's own pages", () => {
  const ref = "abcdefghijklmnopqrst";
  expect(dashboardLinks(dashboard, ref)).toEqual({
    newProject: `${dashboard}/new/_`,
    project: `${dashboard}/project/${ref}`,
    connect: `${dashboard}/project/${ref}?showConnect=true&method=session`,
    apiKeys: `${dashboard}/project/${ref}/settings/api-keys`,
    database: `${dashboard}/project/${ref}/settings/database`,
  });
});

test("where the project is not known, Supabase is left to ask for it", () => {
  for (const links of [dashboardLinks(dashboard), dashboardLinks(dashboard, null)]) {
    expect(links.apiKeys).toBe(`${dashboard}/project/_/settings/api-keys`);
    expect(links.project).toBe(`${dashboard}/project/_`);
  }
});

/** The standing check of the project's own templates: what `npm run templates -- check` does. */
import path from "node:path";
import { expect, it } from "vitest";
import { checkTemplates } from "./check.ts";
import { textOf } from "./report.ts";

const folder = path.join(import.meta.dirname, "..", "..", "feature-templates");

it("are green on PostgreSQL 15 and 17, in both grant modes, alone, in pairs, together and upgraded", async () => {
  const checked = await checkTemplates(folder);
  expect(checked.findings.map(({ message, seen }) => `${message} ${seen[0] ?? ""}`)).toEqual([]);
  expect(checked.names).toEqual(["analytics", "base", "inventory", "pos"]);

  // By what stands in them; the order is the run's.
  const databases = checked.databases.slowest().map(({ step }) => {
    const [templates = "", ...where] = step.split(", ");
    return [templates.split(" + ").sort().join(" + "), ...where].join(", ");
  });
  const all = "analytics + base + inventory + pos";
  for (const version of ["PostgreSQL 15", "PostgreSQL 17"]) {
    for (const templates of ["base", "analytics + base", "analytics + base + inventory", all]) {
      expect(databases).toContain(`${templates}, ${version}, 2026-10 grants`);
      expect(databases).toContain(`${templates}, ${version}, legacy grants`);
    }
    const upgraded = "base 1.0.0 + inventory 1.0.0 + pos 1.0.0, upgraded, ";
    expect(databases.filter((each) => each.startsWith(upgraded + version))).toHaveLength(1);
  }
  expect(databases).toContain(`${all}, hostile answers, PostgreSQL 17, 2026-10 grants`);
  const files = checked.files.slowest();
  expect(files.every(({ times }) => times >= 2)).toBe(true);
  expect(textOf(checked)).toMatch(/\ngreen: analytics, base, inventory, pos\n$/);
}, 900_000);

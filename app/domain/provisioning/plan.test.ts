import { beforeAll, describe, expect, it } from "vitest";
import { type Catalog, loadCatalog, UnknownTemplateError } from "../catalog/index.server.ts";
import { planRun } from "./index.server.ts";

let catalog: Catalog;
beforeAll(async () => {
  catalog = await loadCatalog("feature-templates");
});

const everything = ["analytics", "base", "inventory", "pos"];

describe("the plan of a run", () => {
  it("goes in the order that was promised", () => {
    const { steps } = planRun(catalog, everything);
    const policies = new Set(
      catalog.templates.flatMap(({ migrations }) =>
        migrations.filter(({ phase }) => phase === "policies").map(({ path }) => path),
      ),
    );
    const stages = steps.map(({ kind, template, file }) => {
      if (kind !== "sql") return kind;
      if (policies.has(file ?? "")) return "policies";
      return template === "base" ? "base schema" : "features";
    });
    expect(stages.filter((stage, index) => stage !== stages[index - 1])).toEqual([
      "preflight",
      "base schema",
      "features",
      "auth-config",
      "policies",
      "seed",
      "owner",
      "health",
    ]);
  });

  it("builds nothing before what it needs, in each of its stages", () => {
    const { steps } = planRun(catalog, everything);
    for (const kind of ["sql", "seed"] as const) {
      const first = (name: string) =>
        steps.findIndex((step) => step.kind === kind && step.template === name);
      for (const { name, requires } of catalog.templates) {
        for (const needed of requires) {
          if (first(name) < 0 || first(needed.name) < 0) continue;
          expect(first(needed.name), `${needed.name} before ${name}`).toBeLessThan(first(name));
        }
      }
    }
  });

  it("holds every file of its templates once, with the version and checksum that it will have", () => {
    const { steps, templates } = planRun(catalog, everything);
    const files = catalog.templates.flatMap(({ migrations, seed }) =>
      [...migrations, ...(seed ? [seed] : [])].map(({ path, version, checksum }) => ({
        file: path,
        ledgerVersion: version,
        checksum,
      })),
    );
    const planned = steps
      .filter((step) => step.file !== undefined)
      .map(({ file, ledgerVersion, checksum }) => ({ file, ledgerVersion, checksum }));
    const byFile = (a: { file?: string }, b: { file?: string }) =>
      (a.file ?? "").localeCompare(b.file ?? "");
    expect(planned.sort(byFile)).toEqual(files.sort(byFile));
    expect(templates).toEqual(
      Object.fromEntries(catalog.templates.map(({ name, version }) => [name, version])),
    );
  });

  it("adds what is needed, and leaves out what is not", () => {
    const plan = planRun(catalog, ["pos"]);
    expect(Object.keys(plan.templates)).toEqual(["base", "inventory", "pos"]);
    expect(plan.steps.some(({ template }) => template === "analytics")).toBe(false);
    expect(Object.keys(planRun(catalog, []).templates)).toEqual(["base"]);
    expect(planRun(catalog, ["pos", "inventory", "pos"])).toEqual(plan);
  });

  it("gives each step a name of its own, that people can read", () => {
    const names = planRun(catalog, everything).steps.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[A-Z][\w :,-]+$/);
  });

  it("knows no other template", () => {
    for (const name of ["teleport", "__proto__", "constructor"]) {
      expect(() => planRun(catalog, [name])).toThrow(UnknownTemplateError);
    }
  });
});

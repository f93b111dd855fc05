import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LedgerRow } from "#app/integrations/postgres/ledger.ts";
import type { DatabaseSurvey } from "#app/integrations/postgres/survey.ts";
import { type Catalog, loadCatalog, UnknownTemplateError } from "../catalog/index.server.ts";
import { base, beside, load, manifest, removeFolders } from "../catalog/template-folders.ts";
import { planRun, type RunPlan } from "./index.server.ts";
import { type AgreedPlan, filesOf, requireUnchanged } from "./plan-changes.ts";
import { sqlStepOf } from "./steps.ts";

afterAll(removeFolders);

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
      "storage",
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

  it("numbers the files of a template that have the same name", async () => {
    const own = await load({
      ...base,
      "base/migrations/20260101000200_start.sql": "select 1;\n",
      "base/migrations/20260101000300_start.sql": "-- berth: phase=policies\nselect 1;\n",
    });
    const names = planRun(own, []).steps.flatMap(({ name, file }) => (file ? name : []));
    expect(names).toEqual(
      ["start", "start 2", "start 3"].map((one) => `The base template: ${one}`),
    );
  });

  it("knows no other template", () => {
    for (const name of ["teleport", "__proto__", "constructor"]) {
      expect(() => planRun(catalog, [name])).toThrow(UnknownTemplateError);
    }
  });
});

/** A database in which these rows stand in the ledger, and these tables exist. */
const surveyed = (changes: Partial<DatabaseSurvey> = {}): DatabaseSurvey => ({
  serverVersion: "17.6",
  serverMajor: 17,
  ledger: [],
  unlisted: [],
  isFresh: true,
  existing: ["auth.users"],
  indexes: {},
  references: [],
  ...changes,
});

const row = (
  version: string,
  checksum: string | null,
  more: Partial<LedgerRow> = {},
): LedgerRow => ({
  version,
  name: null,
  template: "base",
  templateVersion: "1.0.0",
  checksum,
  runId: "earlier",
  appliedAt: new Date(0),
  ...more,
});

const rowsOf = ({ steps }: RunPlan) =>
  steps.flatMap(({ kind, template, ledgerVersion, checksum }) =>
    checksum === undefined
      ? []
      : [
          row(kind === "seed" ? `seed:${template}` : (ledgerVersion ?? ""), checksum, {
            template: template ?? null,
          }),
        ],
  );

const standing = ({ steps }: RunPlan) =>
  steps.flatMap(({ file, planned }) => (file === undefined ? [] : [planned]));

describe("the plan of a run on a database", () => {
  it("of a fresh project applies everything, and locks only what the platform has", () => {
    const plan = planRun(catalog, ["base"], surveyed());
    expect(new Set(standing(plan))).toEqual(new Set(["apply"]));
    expect(plan.strangers).toEqual([]);
    const locked = plan.steps.flatMap(({ effects }) => effects?.locks ?? []);
    expect(new Set(locked.map(({ relation, mode }) => `${mode} on ${relation}`))).toEqual(
      new Set(["SHARE ROW EXCLUSIVE on auth.users"]),
    );
    expect(plan.basis).toMatchObject({ serverVersion: "17.6", isFresh: true, applied: {} });
    for (const { file, effects } of plan.steps) {
      if (file === undefined) expect(effects).toBeUndefined();
      else expect(effects).toMatchObject({ rewrites: [] });
    }
  });

  it("is the set of files less those in the ledger, whatever the order of versions", () => {
    const whole = planRun(catalog, everything, surveyed());
    const rows = rowsOf(whole);
    const [oldest] = rows.map(({ version }) => version).sort();
    const missing = rows.filter(({ version }) => version !== oldest);
    const plan = planRun(catalog, everything, surveyed({ ledger: missing, isFresh: false }));
    expect(
      plan.steps.filter(({ planned }) => planned === "apply").map((s) => s.ledgerVersion),
    ).toEqual([oldest]);
    expect(standing(planRun(catalog, everything, surveyed({ ledger: rows })))).toEqual(
      rows.map(() => "applied"),
    );
  });

  it("tells what was applied with another checksum, or by Supabase's own tool, from what is as it was", () => {
    const [first, second, ...rest] = rowsOf(planRun(catalog, ["base"], surveyed()));
    if (!first || !second) throw new Error("The base has too few files.");
    const ledger = [{ ...first, checksum: "other" }, { ...second, checksum: null }, ...rest];
    const plan = planRun(catalog, ["base"], surveyed({ ledger }));
    expect(standing(plan).slice(0, 2)).toEqual(["differs", "differs"]);
    expect(new Set(standing(plan).slice(2))).toEqual(new Set(["applied"]));
    expect(plan.basis?.applied).toMatchObject({ [first.version]: "other", [second.version]: null });
    const split = { ledger: [first, second, ...rest], unlisted: [first.version] };
    expect(standing(planRun(catalog, ["base"], surveyed(split))).slice(0, 2)).toEqual([
      "differs",
      "applied",
    ]);
    // What is not run does nothing to what exists.
    expect(plan.steps.flatMap(({ effects }) => effects?.locks ?? [])).toEqual([]);
  });

  it("runs a seed again that came with another version of its template, and no other", () => {
    const seed = rowsOf(planRun(catalog, ["base"])).find(({ version }) => version === "seed:base");
    if (!seed) throw new Error("The base has no seed.");
    const planned = (change: Partial<LedgerRow>) =>
      planRun(catalog, ["base"], surveyed({ ledger: [{ ...seed, ...change }] })).steps.find(
        ({ kind }) => kind === "seed",
      )?.planned;
    const { version } = catalog.get("base");
    expect(planned({ templateVersion: version })).toBe("applied");
    expect(planned({ checksum: "old", templateVersion: "0.9.0" })).toBe("apply");
    expect(planned({ checksum: "old", templateVersion: version })).toBe("differs");
  });

  it("names the strangers in the ledger: those of no template, not those of another feature", () => {
    const [other] = rowsOf(planRun(catalog, ["pos"])).slice(-1);
    const ledger = [row("20200101000000", null), row("seed:gone", "x"), ...(other ? [other] : [])];
    const plan = planRun(catalog, ["base"], surveyed({ ledger }));
    expect(plan.strangers).toEqual(["20200101000000", "seed:gone"]);
  });

  it("has a digest of all that matters, and of nothing that passes", () => {
    const digest = (changes: Partial<DatabaseSurvey> = {}, features = ["pos"]) =>
      planRun(catalog, features, surveyed(changes)).basis?.digest;
    const same = digest();
    expect(same).toMatch(/^[0-9a-f]{64}$/);
    expect(digest()).toBe(same);
    expect(digest({ existing: ["auth.users", "app.else"] })).toBe(same);
    const others = [
      digest({}, ["inventory"]),
      digest({ ledger: [row("20200101000000", null)] }),
      digest({ existing: [] }),
      digest({ serverVersion: "18.1", serverMajor: 18 }),
      digest({ isFresh: false }),
    ];
    expect(new Set([same, ...others]).size).toBe(others.length + 1);
  });

  it("has what serves another template where that one is there, and later where it comes later", async () => {
    const own = await load({
      ...base,
      ...beside("stock"),
      ...beside("figures", {
        "template.yaml": manifest("figures", { optional: "[{ name: stock, range: ^1.0.0 }]" }),
        "migrations/20260301000100_values.sql":
          "-- berth: when=stock\ncreate table public.values_of (id int primary key);\n",
        "migrations/20260301000200_policies.sql":
          "-- berth: when=stock phase=policies\ngrant select on public.values_of to authenticated;\n",
      }),
    });
    const files = ({ steps }: RunPlan) => steps.flatMap(({ file }) => file ?? []);
    const alone = planRun(own, ["figures"], surveyed());
    expect(files(alone).filter((file) => /_(values|policies)\.sql$/.test(file))).toEqual([]);

    const ledger = rowsOf(alone);
    const later = planRun(own, ["figures", "stock"], surveyed({ ledger, isFresh: false }));
    const pending = later.steps.flatMap(({ file, planned }) => (planned === "apply" ? file : []));
    expect(pending).toEqual([
      expect.stringMatching(/_stock\.sql$/),
      "figures/migrations/20260301000100_values.sql",
      "figures/migrations/20260301000200_policies.sql",
    ]);
    // Once applied they belong to a template, whether or not a run asks for that one.
    const whole = rowsOf(planRun(own, ["figures", "stock"]));
    expect(planRun(own, ["figures"], surveyed({ ledger: whole })).strangers).toEqual([]);
  });

  it("shows each file's limit of time: its own, its manifest's for the kind of step, or the run's", async () => {
    const own = await load({
      ...base,
      "base/template.yaml": manifest("base", {
        timeouts: "{ policies: 40s, seed: 90s, checks: 2min }",
      }),
      "base/migrations/20260101000200_more.sql": "-- berth: timeout=2h\nselect 1;\n",
      "base/migrations/20260101000300_policies.sql": "-- berth: phase=policies\nselect 1;\n",
      "base/migrations/20260101000400_other.sql":
        "-- berth: phase=policies timeout=5s\nselect 1;\n",
      "base/seed.sql": "insert into public.a values (1) on conflict do nothing;\n",
      "base/checks.sql": "select 'a' as check_name, true as ok, null::text as detail;\n",
    });
    const { steps } = planRun(own, [], surveyed());
    const limits = steps.flatMap(({ effects }) => effects?.timeoutMs ?? []);
    expect(limits).toEqual([300_000, 7_200_000, 40_000, 5_000, 90_000]);
    const seed = steps.find(({ kind }) => kind === "seed");
    expect(seed && sqlStepOf(own, seed).timeoutMs).toBe(90_000);
  });

  it("shows later files what they do to what exists, the tables of an index among them", async () => {
    const own = await load({
      ...base,
      "base/migrations/20260101000200_more.sql":
        "-- berth: timeout=2h\nalter table public.a add column b uuid default gen_random_uuid();\n" +
        "create table public.n (id int primary key);\nalter table public.n add column c serial;\n",
      "base/migrations/20260101000300_index.sql":
        "drop index public.a_old;\ncreate index on public.n (id);\n",
    });
    const before = surveyed({
      ledger: rowsOf(planRun(own, [])).slice(0, 1),
      existing: ["public.a"],
      indexes: { "public.a_old": "public.a" },
    });
    const effects = planRun(own, [], before).steps.flatMap((step) => step.effects ?? []);
    expect(effects).toEqual([
      {
        statements: 1,
        transactional: true,
        timeoutMs: 300_000,
        locks: [],
        rewrites: [],
        unseen: [],
      },
      {
        statements: 3,
        transactional: true,
        timeoutMs: 7_200_000,
        locks: [{ relation: "public.a", mode: "ACCESS EXCLUSIVE", line: 2 }],
        rewrites: [
          { relation: "public.a", line: 2, why: expect.stringContaining("gen_random_uuid()") },
        ],
        unseen: [],
      },
      {
        statements: 2,
        transactional: true,
        timeoutMs: 300_000,
        locks: [{ relation: "public.a", mode: "ACCESS EXCLUSIVE", line: 1 }],
        rewrites: [],
        unseen: [],
      },
    ]);
  });
});

describe("a plan that was agreed to", () => {
  const agree = (ledger: LedgerRow[] = []) => {
    const plan = planRun(catalog, ["base"], surveyed({ ledger }));
    return { basis: plan.basis, files: filesOf(plan.steps) };
  };
  const compare = (
    agreed: AgreedPlan,
    ledger: LedgerRow[],
    changes: Partial<DatabaseSurvey> = {},
  ) => {
    const survey = surveyed({ ledger, ...changes });
    requireUnchanged(agreed, planRun(catalog, ["base"], survey), survey, "this run");
  };

  it("holds on the same database, with what this very run has applied itself", () => {
    const rows = rowsOf(planRun(catalog, ["base"]));
    compare(agree(), []);
    compare(agree(rows.slice(0, 1)), rows.slice(0, 1));
    const own = rows.map((one) => ({ ...one, runId: "this run" }));
    compare(agree(), own.slice(0, 2));
    // A seed that this run has replaced.
    const [seed] = rows.slice(-1);
    if (seed) compare(agree([{ ...seed, checksum: "old" }]), [{ ...seed, runId: "this run" }]);
  });

  it.each<[string, LedgerRow[], Partial<DatabaseSurvey>, string]>([
    [
      "a version applied by somebody else",
      [row("1", "a"), row("2", null)],
      {},
      "version 2 has been applied since",
    ],
    ["a version gone", [], {}, "version 1 is no longer in the ledger"],
    ["another checksum", [row("1", "b")], {}, "version 1 is there with another checksum than then"],
    [
      "another server",
      [row("1", "a")],
      { serverVersion: "18.0", serverMajor: 18 },
      "the server is PostgreSQL 18, and was 17",
    ],
  ])("does not hold with %s", (_, ledger, changes, found) => {
    const agreed = agree([row("1", "a")]);
    expect(() => compare(agreed, ledger, changes)).toThrow(
      expect.objectContaining({
        code: "plan_changed",
        found,
        needed: expect.any(String),
        fix: "Look at the plan again, and retry.",
      }),
    );
  });

  it("does not hold with other files, even where nobody had looked at the database", () => {
    const [first, ...rest] = filesOf(planRun(catalog, ["base"]).steps);
    if (!first) throw new Error("The base has no file.");
    const files = [
      { ...first, checksum: "other" },
      { file: "base/gone.sql", checksum: "x" },
      ...rest.slice(1),
    ];
    expect(() => compare({ basis: null, files }, [])).toThrow(
      expect.objectContaining({
        found: [
          `${first.file} is not the file that was planned`,
          "base/gone.sql is no longer in its template",
          `${rest[0]?.file} is new`,
        ].join("; "),
      }),
    );
  });

  it("tells twenty changes and counts the others", () => {
    const rows = Array.from({ length: 25 }, (_, i) => row(String(100 + i), "x"));
    expect(() => compare(agree(), rows)).toThrow(
      expect.objectContaining({
        found: expect.stringMatching(/version 119 has been applied since; and 5 more$/),
      }),
    );
  });
});

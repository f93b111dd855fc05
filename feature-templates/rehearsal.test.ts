import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filesFor, loadCatalog, type Template } from "#app/domain/catalog/index.server.ts";
import { type RehearsalStep, rehearse } from "#app/integrations/postgres/rehearse.ts";
import { diffCatalogs, snapshotCatalog } from "../tests/support/catalog.ts";
import {
  applyTemplates,
  type GrantMode,
  grantModes,
  type ProjectServer,
} from "./fresh-database.ts";
import { joinProjectServer } from "./shared-server.ts";

let server: ProjectServer;

beforeAll(async () => {
  server = await joinProjectServer();
});
afterAll(() => server?.stop());

/** Every file of these templates, in the order of a run. */
async function filesOf(names: string[], except: readonly Template[] = []) {
  const ordered = (await loadCatalog(import.meta.dirname)).order(names);
  const templates = ordered.filter(({ name }) => except.every((other) => other.name !== name));
  const migrations = (template: Template) => filesFor(template, ordered);
  const steps = (
    kind: "migration" | "seed",
    files: (template: Template) => Template["migrations"],
  ) =>
    templates.flatMap((template) =>
      files(template).map(
        (file): RehearsalStep => ({
          name: file.name,
          step: {
            ...file,
            kind,
            file: file.path,
            timeoutMs: file.timeoutMs ?? undefined,
            template: template.name,
            templateVersion: template.version,
          },
          planned: "apply",
        }),
      ),
    );
  return [
    ...steps("migration", (each) => migrations(each).filter((f) => f.phase === "schema")),
    ...steps("migration", (each) => migrations(each).filter((f) => f.phase === "policies")),
    ...steps("seed", ({ seed }) => (seed ? [seed] : [])),
  ];
}

const rehearseAt = ({ host, port, user, password, database }: pg.Client, steps: RehearsalStep[]) =>
  rehearse({
    connect: async (application_name, other = database) => {
      const given = { host, port, user, password: password ?? "", database: other };
      const client = new pg.Client({ ...given, application_name });
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    id: "templates",
    signal: new AbortController().signal,
    plan: async () => steps,
  });

/** The catalog, and how many rows each table has. */
const everything = (client: pg.Client) =>
  snapshotCatalog(client, { rowCounts: ["public", "private", "auth", "storage"] });

/** The files that may not run in a transaction, which a rehearsal is. */
const aloneIn = (steps: RehearsalStep[]) =>
  steps.filter(({ step }) => !step.transactional).map(({ step }) => step.file);

describe.each(grantModes)("the templates, rehearsed (%s)", (mode: GrantMode) => {
  it("run to their end on a fresh project, and leave it as it was", async () => {
    const client = await server.createDatabase(mode);
    const steps = await filesOf(["analytics", "inventory", "pos"]);
    const before = await everything(client);
    const result = await rehearseAt(client, steps);
    expect(result).toMatchObject({ where: "backend", ok: true, missing: [] });
    const alone = aloneIn(steps);
    expect(alone).toContain("inventory/migrations/20260901010300_product_name_index.sql");
    for (const { file, outcome } of result.steps) {
      expect([file, outcome]).toEqual([file, alone.includes(file) ? "not_rehearsed" : "rehearsed"]);
    }
    expect(result.steps).toHaveLength(steps.length);
    expect(diffCatalogs(before, await everything(client))).toEqual([]);
  });

  it("run to their end in a copy, beside a customer's rows", async () => {
    const client = await server.createDatabase(mode);
    const applied = await applyTemplates(client, ["base"]);
    await client.query(
      "create table public.notes (id int generated always as identity, text text); insert into public.notes (text) values ('mine')",
    );
    const before = await everything(client);
    const steps = await filesOf(["analytics", "inventory", "pos"], applied);
    const result = await rehearseAt(client, steps);
    expect(result).toMatchObject({ where: "scratch copy" });
    expect(result.steps.filter(({ outcome }) => outcome !== "rehearsed")).toEqual(
      aloneIn(steps).map((file) => expect.objectContaining({ file, outcome: "not_rehearsed" })),
    );
    expect(diffCatalogs(before, await everything(client))).toEqual([]);
  });
});

import { randomUUID } from "node:crypto";
import type pg from "pg";
import {
  type Answers,
  filesFor,
  type Parameter,
  presetOf,
  settingsOf,
  type Template,
  type TemplateFile,
} from "#app/domain/catalog/index.server.ts";
import { strongLocksOf } from "#app/integrations/postgres/effects-file.ts";
import { ledgerKey, type SqlStep } from "#app/integrations/postgres/ledger.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { bindSettings } from "#app/integrations/postgres/session-values.ts";
import { BerthError } from "#app/platform/errors.ts";
import { createLogger } from "#app/platform/log.ts";
import { changedTables, platformRows } from "./platform-rows.ts";
import type { GrantMode, ProjectServer } from "./project-server.ts";
import { changedBy } from "./repeated-seeds.ts";
import type { Timings } from "./timings.ts";

/** A file wrote rows that are Supabase's or the ledger's. */
export class PlatformRowsError extends BerthError {
  readonly file: string;
  readonly line = 1;

  constructor(file: string, tables: readonly string[]) {
    const what = `it changes rows of ${tables.join(" and ")} when it runs`;
    const fix = "Write into the template's own tables alone, in functions and EXECUTE too.";
    super("platform_rows", `${file}:1: ${what}: they are Supabase's or the ledger's. ${fix}`, {
      found: tables.join(", "),
      fix,
    });
    this.file = file;
  }
}

/** A fresh project's database, and what is done to it. */
export interface Project {
  client: pg.Client;
  /**
   * Brings these templates in, as a run does: what its ledger has already is passed over.
   *
   * @throws PlatformRowsError for a file that writes rows which are not the template's
   */
  run(templates: readonly Template[], timings: Timings): Promise<void>;
  /** Works with a session as a run has it. */
  inSession<T>(work: (session: RunSession) => Promise<T>): Promise<T>;
  /**
   * The seeds once more, whatever the ledger says; answers the rows that they changed or removed, as
   * the seed's file and the tables.
   *
   * @throws SeedFailsAgainError
   */
  repeatSeeds(templates: readonly Template[]): Promise<{ file: string; tables: string[] }[]>;
  end(): Promise<void>;
}

/** What is answered to a question; null leaves it open. */
export type Answer = (parameter: Parameter) => string | null;

const facts = { company: "O'Neill & Sons", country: "DE", timeZone: "Europe/Berlin" };
/** What customers find in the field; a question without a preset goes unanswered here. */
export const preset: Answer = (parameter) => presetOf(parameter, facts);
/** A seed falls back on its own. */
export const unanswered: Answer = () => null;

/** A project in whose runs the questions of templates are answered so. */
export async function newProject(
  server: ProjectServer,
  mode: GrantMode,
  answer: Answer,
): Promise<Project> {
  const client = await server.createDatabase(mode);
  let token = 0n;
  let settings: Record<string, string> = {};
  const connect = async (name: string) => {
    const session = await server.connectBeside(client, name);
    session.on("error", () => {});
    return session;
  };
  const inSession = async <T>(work: (session: RunSession) => Promise<T>): Promise<T> => {
    token += 1n;
    const session = await openRunSession({
      connect,
      backendId: "check",
      runId: randomUUID(),
      token,
      signal: new AbortController().signal,
      log: createLogger({ level: "silent" }),
      settings,
    });
    return work(session).finally(() => session.close());
  };
  return {
    client,
    run(templates, timings) {
      settings = settingsOf(templates, answersOf(templates, answer));
      return inSession(async (session) => {
        await session.prepare();
        const admin = await server.connectAsAdmin(client);
        try {
          let rows = await platformRows(admin);
          for (const step of stepsOf(templates)) {
            if (step === "buckets") {
              await makeBuckets(server, client, templates);
              continue;
            }
            await timings.of(step.file, () => session.apply(step));
            const now = await platformRows(admin);
            const changed = changedTables(rows, now, [ledgerKey(step).key, step.file]);
            if (changed.length > 0) throw new PlatformRowsError(step.file, changed);
            rows = now;
          }
        } finally {
          await admin.end();
        }
      });
    },
    inSession,
    async repeatSeeds(templates) {
      const session = await connect("check");
      await bindSettings(session, settings);
      const changes: { file: string; tables: string[] }[] = [];
      try {
        for (const { seed } of templates) {
          const tables = seed ? await changedBy(session, seed) : [];
          if (seed && tables.length > 0) changes.push({ file: seed.path, tables });
        }
      } finally {
        await session.end();
      }
      return changes;
    },
    end: () => client.end(),
  };
}

/** The answers to every question of these templates. */
export function answersOf(
  templates: readonly Pick<Template, "name" | "parameters">[],
  answer: Answer,
): Answers {
  const given = (parameters: readonly Parameter[]) =>
    parameters.flatMap((each): [string, string][] => {
      const value = answer(each);
      return value === null ? [] : [[each.name, value]];
    });
  return Object.fromEntries(
    templates.map(({ name, parameters }) => [name, Object.fromEntries(given(parameters))]),
  );
}

/** In the order of a run: schema, buckets, policies, seeds. */
function stepsOf(templates: readonly Template[]): (SqlStep | "buckets")[] {
  const files = (wanted: "schema" | "policies") =>
    templates.flatMap((template) =>
      filesFor(template, templates)
        .filter(({ phase }) => phase === wanted)
        .map((file) => stepOf(template, file)),
    );
  const seeds = templates.flatMap((each) => (each.seed ? [stepOf(each, each.seed)] : []));
  return [...files("schema"), "buckets", ...files("policies"), ...seeds];
}

function stepOf(template: Template, file: TemplateFile): SqlStep {
  const { version, name, path, sql, checksum, transactional, timeoutMs, statements } = file;
  return {
    kind: file.phase === "seed" ? "seed" : "migration",
    version,
    name,
    file: path,
    sql,
    checksum,
    template: template.name,
    templateVersion: template.version,
    transactional,
    ...(timeoutMs === null ? {} : { timeoutMs }),
    strongLocks: strongLocksOf(file.effects),
    statements,
  };
}

/** As Supabase's Storage makes them when it is asked to. */
async function makeBuckets(
  server: ProjectServer,
  client: pg.Client,
  templates: readonly Template[],
): Promise<void> {
  const buckets = templates.flatMap(({ storage }) => storage);
  if (buckets.length === 0) return;
  const admin = await server.connectAsAdmin(client);
  for (const { bucket, public: isPublic, file_size_limit, allowed_mime_types } of buckets) {
    await admin.query(
      `insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
       values ($1, $1, $2, $3, $4) on conflict (id) do nothing`,
      [bucket, isPublic, file_size_limit ?? null, allowed_mime_types ?? null],
    );
  }
  await admin.end();
}

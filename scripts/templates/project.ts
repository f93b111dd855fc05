import { randomUUID } from "node:crypto";
import type pg from "pg";
import {
  filesFor,
  presetOf,
  settingsOf,
  type Template,
  type TemplateFile,
} from "#app/domain/catalog/index.server.ts";
import { strongLocksOf } from "#app/integrations/postgres/effects-file.ts";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { openRunSession, type RunSession } from "#app/integrations/postgres/run-session.ts";
import { bindSettings } from "#app/integrations/postgres/session-values.ts";
import { createLogger } from "#app/platform/log.ts";
import type { GrantMode, ProjectServer } from "./project-server.ts";
import type { Timings } from "./timings.ts";

/** A fresh project's database, and what is done to it. */
export interface Project {
  client: pg.Client;
  /** Brings these templates in, as a run does: what its ledger has already is passed over. */
  run(templates: readonly Template[], timings: Timings): Promise<void>;
  /** Works with a session as a run has it. */
  inSession<T>(work: (session: RunSession) => Promise<T>): Promise<T>;
  /** The seeds once more, whatever the ledger says. */
  repeatSeeds(templates: readonly Template[]): Promise<void>;
  end(): Promise<void>;
}

/** What customers would answer; a question without a preset goes unanswered here. */
const facts = { company: "O'Neill & Sons", timeZone: "Europe/Berlin" };

/**
 * @param answered whether the parameters of templates are set; without them a seed falls back on
 * its own.
 */
export async function newProject(
  server: ProjectServer,
  mode: GrantMode,
  answered: boolean,
): Promise<Project> {
  const client = await server.createDatabase(mode);
  let token = 0n;
  let settings: Record<string, string> = {};
  const answer = (templates: readonly Template[]) => {
    const answers = Object.fromEntries(
      templates.map(({ name, parameters }) => [
        name,
        Object.fromEntries(
          parameters.flatMap((each) => {
            const value = answered ? presetOf(each, facts) : null;
            return value === null ? [] : [[each.name, value]];
          }),
        ),
      ]),
    );
    settings = settingsOf(templates, answers);
  };
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
      answer(templates);
      return inSession(async (session) => {
        await session.prepare();
        for (const step of stepsOf(templates)) {
          if (step === "buckets") await makeBuckets(server, client, templates);
          else await timings.of(step.file, () => session.apply(step));
        }
      });
    },
    inSession,
    async repeatSeeds(templates) {
      const session = await connect("check");
      await bindSettings(session, settings);
      for (const { seed } of templates) if (seed) await session.query(seed.sql);
      await session.end();
    },
    end: () => client.end(),
  };
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

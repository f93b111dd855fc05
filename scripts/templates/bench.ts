import type { Catalog } from "#app/domain/catalog/index.server.ts";
import type { PostgresVersion } from "#local/cluster.ts";
import { asFinding, type Finding, type SeenFindings } from "./findings.ts";
import { type Answer, newProject, type Project, preset, unanswered } from "./project.ts";
import type { GrantMode, ProjectServer } from "./project-server.ts";
import type { Timings } from "./timings.ts";

/** A server of one version, and what is done on it. */
export interface Bench {
  version: PostgresVersion;
  server: ProjectServer;
  catalog: Catalog;
  findings: SeenFindings;
  /** Of each file, and of each database as a whole. */
  files: Timings;
  databases: Timings;
}

/** Opens a project, does the work, and turns what fails into a finding. */
export async function inProject(
  bench: Bench,
  title: string,
  mode: GrantMode,
  work: (project: Project, note: (found: Finding) => void) => Promise<void>,
  // Where nobody has answered, the seeds fall back: both ways are gone.
  answer: Answer = mode === "2026-10" ? preset : unanswered,
): Promise<void> {
  const { server, version, databases, findings } = bench;
  const seen = `${title}, PostgreSQL ${version}, ${mode} grants`;
  const note = (found: Finding) => findings.add(found, seen);
  await databases.of(seen, async () => {
    const project = await newProject(server, mode, answer);
    try {
      await work(project, note);
    } catch (error) {
      note(asFinding(error));
    } finally {
      await project.end();
    }
  });
}

/** What of a template breaks a rule, where only a database can tell. */
export const broken = (rule: string, file: string | null, message: string): Finding => ({
  rule,
  file,
  line: null,
  message: file === null ? message : `${file}: ${message}`,
  seen: [],
});

/** A sentence of others, with one full stop at its end. */
export const ended = (text: string) => `${text.replace(/[.\s]+$/, "")}.`;

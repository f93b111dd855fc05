import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Project } from "./project.ts";

/** The records of all projects, one file each; a removed project's stays as a tombstone. */
export interface ProjectStore {
  all(): Project[];
  find(ref: string): Project | undefined;
  /** Writes a project's record; the file is whole at any moment. */
  save(project: Project): Promise<void>;
  nextNumber(): number;
}

/** Opens the records in `folder`, made if missing. Throws when one cannot be read. */
export async function openStore(folder: string): Promise<ProjectStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const projects = new Map<string, Project>();
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".json")) continue;
    const project: Project = JSON.parse(await readFile(path.join(folder, name), "utf8"));
    projects.set(project.ref, project);
  }
  /** Writes of one project follow one another, so that the newest stays. */
  const writing = new Map<string, Promise<void>>();
  return {
    all: () => [...projects.values()].sort((a, b) => a.number - b.number),
    find: (ref) => projects.get(ref),
    nextNumber: () => Math.max(0, ...[...projects.values()].map((p) => p.number)) + 1,
    save(project) {
      projects.set(project.ref, project);
      const file = path.join(folder, `${project.ref}.json`);
      const write = async () => {
        await writeFile(`${file}.new`, JSON.stringify(project, null, 2), { mode: 0o600 });
        await rename(`${file}.new`, file);
      };
      const done = (writing.get(project.ref) ?? Promise.resolve()).then(write, write);
      writing.set(project.ref, done);
      return done;
    },
  };
}

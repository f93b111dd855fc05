import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "#local/cluster.ts";
import type { Faults } from "../faults.ts";
import type { Logger } from "../platform/log.ts";
import type { SandboxSettings } from "../settings.ts";
import type { Databases } from "./databases.ts";
import { newKeys, newPassword, newRef } from "./keys.ts";
import {
  type GrantMode,
  isUp,
  type KeyKinds,
  type Project,
  type ProjectStatus,
} from "./project.ts";
import type { ProjectStore } from "./store.ts";

/** What a caller may choose about a new project. */
interface NewProject {
  name: string;
  databasePassword?: string;
  region?: string;
  grants?: GrantMode;
  keys?: KeyKinds;
  readyAfterMs?: number;
}

/** The act does not fit the project's status; the API answers 400 with the message. */
export class WrongStatusError extends Error {
  override name = "WrongStatusError";
}

/** Every port of SANDBOX_PROJECT_PORTS belongs to a project already. */
export class NoPortLeftError extends Error {
  override name = "NoPortLeftError";
}

/** Creates, pauses, restores and removes projects; the slow part runs on in the background. */
export interface Lifecycle {
  create(wish: NewProject): Promise<Project>;
  pause(project: Project): Promise<void>;
  restore(project: Project): Promise<void>;
  remove(project: Project): Promise<void>;
  /** Takes up what an earlier process of the sandbox was in the middle of. */
  resume(): Promise<void>;
  /** Resolves when the project is ACTIVE_HEALTHY; throws when it failed or `ms` are over. */
  untilHealthy(project: Project, ms: number): Promise<void>;
  close(): Promise<void>;
}

const REMOVABLE: ProjectStatus[] = [
  "ACTIVE_HEALTHY",
  "INACTIVE",
  "INIT_FAILED",
  "PAUSE_FAILED",
  "RESTORE_FAILED",
];

/** How often a waiting project looks whether it may go on, in milliseconds. */
const LOOK_MS = 50;

/** Makes the life cycle of all projects; `opened` and `closed` tell the gateways. */
export function createLifecycle(o: {
  settings: SandboxSettings;
  store: ProjectStore;
  databases: Databases;
  faults: Faults;
  log: Logger;
  opened(project: Project): Promise<void>;
  closed(project: Project): Promise<void>;
}): Lifecycle {
  const working = new Set<Promise<void>>();
  const stopping = new AbortController();

  async function become(project: Project, status: ProjectStatus): Promise<void> {
    project.status = status;
    await o.store.save(project);
    o.log.info({ ref: project.ref, status }, "project");
  }

  const wait = (ms: number) => sleep(ms, undefined, { signal: stopping.signal, ref: true });

  /** Runs `work` behind the answer; an error turns into the status `failed`. */
  function background(project: Project, failed: ProjectStatus, work: () => Promise<void>): void {
    const done = work().catch(async (error) => {
      // What a shutdown interrupts is taken up by the next process.
      if (stopping.signal.aborted) return;
      o.log.error({ err: error, ref: project.ref }, "project failed");
      await become(project, failed);
    });
    working.add(done);
    done.finally(() => working.delete(done));
  }

  async function provision(project: Project): Promise<void> {
    const start = Date.now();
    await wait(project.readyAfterMs / 5);
    await become(project, "COMING_UP");
    if (!project.databaseReady) await o.databases.create(project);
    project.databaseReady = true;
    await wait(Math.max(0, start + project.readyAfterMs - Date.now()));
    while (o.faults.neverReady(project.ref)) await wait(LOOK_MS);
    await become(project, "ACTIVE_HEALTHY");
  }

  async function doPause(project: Project): Promise<void> {
    await wait(project.readyAfterMs / 5);
    await o.databases.stop(project.ref);
    await become(project, "INACTIVE");
  }

  async function doRestore(project: Project): Promise<void> {
    await wait(project.readyAfterMs / 2);
    await o.databases.wake(project);
    while (o.faults.neverReady(project.ref)) await wait(LOOK_MS);
    await become(project, "ACTIVE_HEALTHY");
  }

  async function doRemove(project: Project): Promise<void> {
    await wait(project.readyAfterMs / 5);
    await o.closed(project);
    await o.databases.remove(project.ref);
    await become(project, "REMOVED");
  }

  /** Ports that creations have chosen, and not yet saved. */
  const chosen = new Set<number>();

  /** The first port that no project has and no other process listens on; kept for the caller. */
  async function choosePort(): Promise<number> {
    const { first, last } = o.settings.projectPorts;
    const belongs = (port: number) =>
      chosen.has(port) || o.store.all().some((p) => p.status !== "REMOVED" && p.port === port);
    for (let port = first; port <= last; port += 1) {
      if (belongs(port)) continue;
      chosen.add(port);
      if ((await freePort(port)) === port) return port;
      chosen.delete(port);
    }
    throw new NoPortLeftError(
      `All ports from ${first} to ${last} are taken. Delete a project, or widen SANDBOX_PROJECT_PORTS.`,
    );
  }

  return {
    async create(wish) {
      const ref = newRef();
      const keys = await newKeys(ref);
      const port = await choosePort();
      // From here to `save` nothing waits, so no other creation gets the same number.
      const project: Project = {
        number: o.store.nextNumber(),
        ref,
        name: wish.name,
        organizationSlug: o.settings.organization,
        region: wish.region ?? "eu-central-1",
        createdAt: new Date().toISOString(),
        status: "UNKNOWN",
        grants: wish.grants ?? "2026-10",
        keys: wish.keys ?? "both",
        readyAfterMs: wish.readyAfterMs ?? o.settings.readyAfterMs,
        port,
        databasePort: 0,
        databasePassword: wish.databasePassword ?? newPassword(),
        platformPassword: newPassword(),
        ...keys,
        databaseReady: false,
        authConfig: {},
      };
      await o.store.save(project);
      chosen.delete(port);
      await o.opened(project);
      background(project, "INIT_FAILED", () => provision(project));
      return project;
    },
    async pause(project) {
      if (!isUp(project)) {
        throw new WrongStatusError(`Project cannot be paused in status ${project.status}.`);
      }
      await become(project, "PAUSING");
      background(project, "PAUSE_FAILED", () => doPause(project));
    },
    async restore(project) {
      if (project.status !== "INACTIVE") {
        throw new WrongStatusError(`Project cannot be restored in status ${project.status}.`);
      }
      await become(project, "RESTORING");
      background(project, "RESTORE_FAILED", () => doRestore(project));
    },
    async remove(project) {
      if (project.status === "REMOVED" || project.status === "GOING_DOWN") {
        throw new WrongStatusError("Resource has been removed");
      }
      if (!REMOVABLE.includes(project.status)) {
        throw new WrongStatusError("Project not ready for deletion.");
      }
      await become(project, "GOING_DOWN");
      background(project, "GOING_DOWN", () => doRemove(project));
    },
    async resume() {
      for (const project of o.store.all()) {
        if (project.status === "REMOVED") continue;
        await o.opened(project);
        const { status } = project;
        if (status === "UNKNOWN" || status === "COMING_UP") {
          background(project, "INIT_FAILED", () => provision(project));
        } else if (status === "PAUSING") {
          background(project, "PAUSE_FAILED", () => doPause(project));
        } else if (status === "RESTORING") {
          background(project, "RESTORE_FAILED", () => doRestore(project));
        } else if (status === "GOING_DOWN") {
          background(project, "GOING_DOWN", () => doRemove(project));
        }
      }
    },
    async untilHealthy(project, ms) {
      const end = Date.now() + ms;
      while (!isUp(project)) {
        if (/FAILED$/.test(project.status) || Date.now() > end) {
          throw new WrongStatusError(`Project is ${project.status}.`);
        }
        await wait(LOOK_MS);
      }
    },
    async close() {
      stopping.abort();
      await Promise.allSettled(working);
    },
  };
}

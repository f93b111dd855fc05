/**
 * Vitest global set-up: one server for all tests of the templates, holding databases that each file
 * clones: fresh ones, and companies with their templates and people.
 */
import type pg from "pg";
import type { TestProject } from "vitest/node";
import { createPeople, type People } from "./acting.ts";
import {
  applyTemplates,
  type GrantMode,
  type ProjectServer,
  startProjectServer,
} from "./fresh-database.ts";

/** The selections of templates that are kept applied. */
const KEPT = [["pos", "analytics"], ["analytics"], ["base"]];

interface Login {
  user: string;
  password: string;
}

/** Where the server is, and the names of the databases to clone. */
interface SharedServer {
  host: string;
  port: number;
  admin: Login;
  postgres: Login;
  fresh: Record<GrantMode, string>;
  /** By the names of their templates; all with the newer grants. */
  companies: Record<string, { database: string; people: People }>;
}

declare module "vitest" {
  interface ProvidedContext {
    projectServer: SharedServer;
  }
}

/** A database to clone must have no session. */
async function makeFresh(server: ProjectServer, mode: GrantMode): Promise<string> {
  const client = await server.createDatabase(mode);
  await client.end();
  return client.database ?? "";
}

async function makeCompany(server: ProjectServer, names: string[]) {
  const client = await server.createDatabase("2026-10");
  await applyTemplates(client, names);
  const auth = await server.connectAsAuth(client);
  const people = await createPeople(client, auth);
  await auth.end();
  await client.end();
  return { database: client.database ?? "", people };
}

const loginOf = ({ user, password }: pg.Client): Login => ({
  user: user ?? "",
  password: password ?? "",
});

async function furnish(server: ProjectServer): Promise<SharedServer> {
  const client = await server.createDatabase("2026-10");
  const admin = await server.connectAsAdmin(client);
  const companies: SharedServer["companies"] = {};
  for (const names of KEPT) companies[names.join()] = await makeCompany(server, names);
  return {
    host: client.host,
    port: client.port,
    admin: loginOf(admin),
    postgres: loginOf(client),
    fresh: {
      "2026-10": await makeFresh(server, "2026-10"),
      legacy: await makeFresh(server, "legacy"),
    },
    companies,
  };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startProjectServer();
  try {
    project.provide("projectServer", await furnish(server));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return () => server.stop();
}

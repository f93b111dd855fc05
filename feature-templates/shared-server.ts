/** The server that all test files of the templates share (shared-server-setup.ts). */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { loadCatalog, type Template } from "#app/domain/catalog/index.server.ts";
import type { People } from "./acting.ts";
import type { ProjectServer } from "./fresh-database.ts";

/** A file's part in it: `stop` ends the file's sessions and removes its databases. */
export interface Share extends ProjectServer {
  /** A new database of a company with these templates, which the set-up must keep, and its people. */
  createCompany(
    names: string[],
  ): Promise<{ client: pg.Client; people: People; templates: Template[] }>;
}

export async function joinProjectServer(): Promise<Share> {
  const { host, port, admin, postgres, fresh, companies } = inject("projectServer");
  const open: pg.Client[] = [];
  const connect = async (database: string, login = admin, applicationName?: string) => {
    const name = applicationName ? { application_name: applicationName } : {};
    const client = new pg.Client({ host, port, database, ...login, ...name });
    await client.connect();
    open.push(client);
    return client;
  };
  const control = await connect("postgres");
  const made: string[] = [];
  const clone = async (template: string) => {
    const name = `shared_${randomBytes(6).toString("hex")}`;
    await control.query(
      `create database ${name} template ${template} owner postgres strategy file_copy`,
    );
    made.push(name);
    return connect(name, postgres);
  };

  return {
    createDatabase: (mode) => clone(fresh[mode]),
    async createCompany(names) {
      const kept = companies[names.join()];
      if (!kept) throw new Error(`No company is kept with ${names.join()}.`);
      const client = await clone(kept.database);
      const catalog = await loadCatalog(import.meta.dirname);
      return { client, people: kept.people, templates: catalog.order(names) };
    },
    connectBeside: (client, name) => connect(client.database ?? "", postgres, name),
    async connectAsAuth(client) {
      const auth = await connect(client.database ?? "");
      await auth.query("set role supabase_auth_admin; set search_path = auth");
      return auth;
    },
    connectAsAdmin: (client) => connect(client.database ?? ""),
    async stop() {
      for (const client of open.slice(1)) await client.end();
      for (const name of made) await control.query(`drop database ${name} with (force)`);
      await control.end();
    },
  };
}

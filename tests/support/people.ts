import { randomBytes, randomUUID } from "node:crypto";
import {
  ALL_SCOPES,
  addStaff,
  createApiKey,
  createAuth,
  type Scope,
  type StaffRole,
} from "#app/domain/identity/index.server.ts";
import { type Actor, createDb } from "#db/index.ts";
import type { RunningBerth } from "./shared-berth.ts";

/** Makes more people and API keys in a running Berth. */
export interface People {
  /** A new member of the staff. @returns the account's id */
  staff(role: StaffRole, name: string): Promise<string>;
  /** A new key of this account, with all scopes unless told. */
  key(userId: string, scopes?: readonly Scope[]): Promise<string>;
  /** Plain SQL as the database's superuser. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** As `npm run staff` does it, by the superuser's login. Close it before Berth stops. */
export function openPeople(berth: RunningBerth): People {
  const { databaseUrl, url } = berth.local.info;
  const db = createDb(databaseUrl, { applicationName: "test-people", max: 2, onError: () => {} });
  const auth = createAuth({
    db,
    appSecret: randomBytes(32).toString("base64"),
    publicUrl: url,
    onError: (message) => {
      throw new Error(message);
    },
  });
  const actor: Actor = { kind: "staff", id: "test", origin: "", correlationId: "" };
  return {
    async staff(role, name) {
      // Another file may have made somebody of this name.
      const email = `${name.toLowerCase().replaceAll(" ", ".")}-${randomUUID()}@berth.example`;
      return (await addStaff({ db, actor }, { email, name, role })).userId;
    },
    async key(userId, scopes = ALL_SCOPES) {
      return (await createApiKey({ auth, db, actor }, { userId, name: "test", scopes })).key;
    },
    async sql(text, values = []) {
      return (await db.$client.query(text, values)).rows;
    },
    close: () => db.$client.end(),
  };
}

import type pg from "pg";
import { type ConnectOptions, connectToCustomer } from "#app/integrations/postgres/connect.ts";
import { parseDatabaseUrl } from "#app/integrations/postgres/dsn.ts";
import type { CredentialsDeps } from "./credentials.ts";

/** What one purpose asks of its sessions. */
type SessionLimits = Pick<ConnectOptions, "statementTimeoutMs" | "queryTimeoutMs" | "signal">;

/**
 * Opens sessions in the database that a URL leads to, or in another one of the same server, where one
 * is named.
 * @throws what parseDatabaseUrl and connectToCustomer throw
 */
export function connectorTo(
  { guard, databaseCa }: Pick<CredentialsDeps, "guard" | "databaseCa">,
  databaseUrl: string,
  limits: SessionLimits,
): (applicationName: string, database?: string) => Promise<pg.Client> {
  const target = parseDatabaseUrl(databaseUrl);
  return (applicationName, database = target.database) =>
    connectToCustomer(
      { ...target, database },
      { guard, ca: databaseCa, applicationName, connectTimeoutMs: 10_000, ...limits },
    );
}

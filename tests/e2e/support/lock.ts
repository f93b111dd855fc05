import pg from "pg";
import type { SandboxProject } from "../../support/client.ts";

/**
 * Makes any run that builds this project wait, as another person's session does that has begun the
 * same and not committed. It waits at its first file. @returns what lets it go on
 */
export async function holdUp(project: SandboxProject): Promise<() => Promise<void>> {
  const client = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  client.on("error", () => {});
  await client.connect();
  await client.query("begin");
  await client.query("create schema private");
  return () => client.end();
}

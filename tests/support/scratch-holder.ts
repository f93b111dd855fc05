/** A process that makes a scratch database, says so, and keeps it until it is killed. */
import pg from "pg";
import { withScratchDatabase } from "#app/integrations/postgres/scratch.ts";

const { port, database } = JSON.parse(process.env.TARGET ?? "") as {
  port: number;
  database: string;
};
const connect = async (name: string, other?: string) => {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: "postgres",
    password: "test-customer",
    database: other ?? database,
    application_name: name,
  });
  await client.connect();
  return client;
};
const signal = new AbortController().signal;
await withScratchDatabase({ connect, schemas: "platform", signal }, async () => {
  process.send?.("made");
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});

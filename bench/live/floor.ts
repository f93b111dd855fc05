/**
 * The floor of the bench `live`: what one would write with Node alone. It holds every stream in
 * one set, listens on one connection, and writes the words of each notification to all of them.
 * No sign-in, no reading again after a lost connection, no bound on what a slow client piles up.
 */
import { createServer, type ServerResponse } from "node:http";
import pg from "pg";
import { serveBare } from "../serve-bare.ts";

const HEARTBEAT_MS = 15_000;

const streams = new Set<ServerResponse>();
const writeToAll = (text: string) => {
  const frame = Buffer.from(text);
  for (const stream of streams) stream.write(frame);
};

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
client.on("notification", ({ payload = "" }) => {
  const { id } = JSON.parse(payload);
  writeToAll(`id: ${id}\ndata: ${payload}\n\n`);
});
await client.connect();
await client.query("listen bare_events");
setInterval(() => writeToAll(": still here\n\n"), HEARTBEAT_MS);

await serveBare(
  createServer((_request, response) => {
    response.writeHead(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
    });
    response.write("retry: 2000\n\n");
    streams.add(response);
    response.on("close", () => streams.delete(response));
  }),
);

/** One side of the bench `web`: Remix and express with the queue's rows, and nothing else. */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { createRequestHandler } from "@remix-run/express";
import type { ServerBuild } from "@remix-run/node";
import express from "express";
import pg from "pg";
import { serveBare } from "../../serve-bare.ts";

/** This file, as a process of its own; BUILD names the folder with the build. */
export const bareRemix = import.meta.filename;

if (import.meta.main) {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  const server = path.join(process.env.BUILD ?? "", "server", "index.js");
  const app = express();
  app.disable("x-powered-by");
  app.all(
    "*",
    createRequestHandler({
      build: (await import(pathToFileURL(server).href)) as ServerBuild,
      mode: "production",
      getLoadContext: () => ({ pool }) as never,
    }),
  );
  await serveBare(app);
}

import type { Server } from "node:http";
import type { ServerBuild } from "@remix-run/node";
import type { RequestHandler } from "express";

/** What `npm run dev` serves in place of a build. */
export interface DevelopmentAssets {
  middleware: RequestHandler;
  build: () => Promise<ServerBuild>;
  close(): Promise<void>;
}

/**
 * Vite as middleware with hot reload over the same port. Vite is a development dependency, so it
 * is loaded here and only now.
 */
export async function startDevelopmentAssets(server: Server): Promise<DevelopmentAssets> {
  const { createServer } = await import("vite");
  const vite = await createServer({
    server: { middlewareMode: true, hmr: { server } },
    appType: "custom",
    clearScreen: false,
  });
  return {
    middleware: vite.middlewares,
    build: () => vite.ssrLoadModule("virtual:remix/server-build") as Promise<ServerBuild>,
    close: () => vite.close(),
  };
}

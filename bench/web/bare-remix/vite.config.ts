import path from "node:path";
import { vitePlugin as remix } from "@remix-run/dev";
import { defineConfig } from "vite";
import remixConfig from "../../../remix.config.js";

const ROOT = path.join(import.meta.dirname, "../../..");

/** Berth's own options, with Remix's own entries; BUILD names the folder for the build. */
export default defineConfig({
  root: ROOT,
  logLevel: "error",
  plugins: [
    remix({
      ...(remixConfig as Parameters<typeof remix>[0]),
      appDirectory: "bench/web/bare-remix",
      buildDirectory: path.relative(ROOT, process.env.BUILD ?? ""),
      // Its one route is named by its file.
      future: { ...remixConfig.future, v3_routeConfig: false },
    }),
  ],
  build: { target: "es2022" },
});

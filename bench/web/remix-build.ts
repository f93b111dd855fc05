import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

const ROOT = path.join(import.meta.dirname, "../..");

/** Builds `bench/web/bare-remix` into a folder below the repository, whose packages the build imports. */
export async function buildBareRemix(folder: string): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    [
      path.join(ROOT, "node_modules/@remix-run/dev/dist/cli.js"),
      "vite:build",
      "--config",
      "bench/web/bare-remix/vite.config.ts",
    ],
    { cwd: ROOT, env: { ...process.env, NODE_ENV: "production", BUILD: folder } },
  );
}

import path from "node:path";
import { ROOT, startProcess } from "../processes.ts";

/** Builds `bench/web/bare-remix` into a folder below the repository, whose packages the build imports. */
export async function buildBareRemix(folder: string): Promise<void> {
  const build = startProcess(path.join(ROOT, "node_modules/@remix-run/dev/dist/cli.js"), {
    args: ["vite:build", "--config", "bench/web/bare-remix/vite.config.ts"],
    env: { BUILD: folder },
  });
  if ((await build.ended) !== 0) throw new Error("The bare Remix was not built.");
}

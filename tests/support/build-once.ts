import path from "node:path";
import { buildWhenNeeded } from "../../scripts/local/build.ts";

/** Vitest global set-up: the pages are built before the files that start a whole Berth. */
export default async function setup(): Promise<void> {
  const root = path.join(import.meta.dirname, "..", "..");
  await buildWhenNeeded({ root, logFile: path.join(root, "build", "build.log"), say: () => {} });
}

/** The templates as they were released, in a folder of their own: what an older Berth shipped. */
import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { readLock, releasedPath } from "#app/domain/catalog/index.server.ts";

/** Writes one released version of every template into `folder`. */
export async function writeReleased(folder: string, version: string): Promise<void> {
  const current = "feature-templates";
  for (const [template, versions] of Object.entries(await readLock(current))) {
    for (const file of Object.keys(versions[version] ?? {})) {
      const target = path.join(folder, template, file);
      await mkdir(path.dirname(target), { recursive: true });
      await copyFile(path.join(current, releasedPath(template, version, file)), target);
    }
  }
}

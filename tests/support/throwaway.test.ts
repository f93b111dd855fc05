import { rm } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { startBerth } from "./berth.ts";
import { dropDataDir } from "./berth-stock.ts";

it("ends also when nobody can say which processes it had", async () => {
  const { dataDir, local, stop } = await startBerth({ workers: 0 });
  await rm(path.join(dataDir, "processes.json"));
  await expect(stop()).rejects.toThrow("processes.json");
  await expect(fetch(local.info.url)).rejects.toThrow();
  await dropDataDir(dataDir);
});

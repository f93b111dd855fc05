import { expect, it } from "vitest";
import { createLogger } from "#app/platform/log.ts";
import type { Db } from "#db/index.ts";
import { eventually } from "../../../tests/support/client.ts";
import { createRanker } from "./ranker.ts";

it("costs nothing while nobody watches: the database is not touched", async () => {
  const lines: string[] = [];
  const touched: PropertyKey[] = [];
  const db = new Proxy({} as Db, {
    get(_, name) {
      touched.push(name);
      throw new Error("The database was touched.");
    },
  });
  let asked = 0;
  const ranker = createRanker({
    db,
    log: createLogger({ level: "warn", destination: { write: (line) => void lines.push(line) } }),
    watched: () => {
      asked += 1;
      return [];
    },
    publish: () => {
      throw new Error("There is nobody to tell.");
    },
  });
  ranker.changed();
  await eventually("a pass", async () => asked === 1);
  ranker.changed();
  await eventually("another pass", async () => asked === 2);
  ranker.close();
  expect(touched).toEqual([]);
  expect(lines).toEqual([]);
});

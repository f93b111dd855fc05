import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

const ROOT = path.join(import.meta.dirname, "../..");
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), "berth-drift-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** What drizzle-kit would add to the migrations for the tables as these files declare them. */
async function newFiles(schema: string): Promise<string[]> {
  const out = path.join(scratch, `out-${path.basename(schema, ".ts")}`);
  await cp(path.join(ROOT, "migrations"), out, { recursive: true });
  const before = new Set(await readdir(out));
  const config = path.join(scratch, `${path.basename(schema, ".ts")}.config.json`);
  await writeFile(
    config,
    JSON.stringify({
      dialect: "postgresql",
      schema,
      out: path.relative(ROOT, out),
      schemaFilter: ["public", "auth"],
    }),
  );
  const kit = path.join(ROOT, "node_modules/.bin/drizzle-kit");
  await promisify(execFile)(kit, ["generate", `--config=${config}`], { cwd: ROOT });
  return (await readdir(out)).filter((name) => !before.has(name));
}

it("the migrations make exactly the tables that the code declares", async () => {
  expect(await newFiles("./db/schema.ts")).toEqual([]);
});

it("a forgotten migration is noticed", async () => {
  const drifted = path.join(scratch, "drifted.ts");
  const drizzle = path.join(ROOT, "node_modules/drizzle-orm/pg-core/index.js");
  await writeFile(
    drifted,
    `export * from ${JSON.stringify(path.join(ROOT, "db/schema.ts"))};
     import { pgTable, text } from ${JSON.stringify(drizzle)};
     export const forgotten = pgTable("forgotten", { id: text("id").primaryKey() });`,
  );
  expect(await newFiles(drifted)).toHaveLength(1);
});

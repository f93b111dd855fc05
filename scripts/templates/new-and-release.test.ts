import { execFile } from "node:child_process";
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { newTemplate } from "./new.ts";
import { releaseTemplate } from "./release.ts";

const root = path.join(import.meta.dirname, "..", "..");
let scratch: string;
let folder: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), "berth-new-template-"));
  folder = path.join(scratch, "templates");
  // The others would only take longer.
  const own = path.join(root, "feature-templates");
  for (const name of ["base", "released.lock.json"]) {
    await cp(path.join(own, name), path.join(folder, name), { recursive: true });
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** The command as people run it. */
const templates = (...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    [path.join(root, "scripts", "templates.ts"), ...args, "--folder", folder],
    { cwd: root },
  ).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  );

describe("from nothing to released", () => {
  it("new writes a template", async () => {
    const { code, said } = await templates("new", "gift-cards");
    expect([code, said]).toEqual([0, expect.stringContaining("check gift-cards")]);
  });

  it("new takes digits after all others, and refuses names that are taken or unfit", async () => {
    const early = await newTemplate(folder, "early", new Date("2020-01-01T00:00:00Z"));
    const digits = early.flatMap((file) => /migrations\/(\d{14})_/.exec(file)?.[1] ?? []);
    const base = await readdir(path.join(folder, "base", "migrations"));
    const taken = base.map((file) => Number(file.slice(0, 14)));
    expect(digits.map(Number).every((each) => each > Math.max(...taken))).toBe(true);
    expect(new Set(digits).size).toBe(2);
    await rm(path.join(folder, "early"), { recursive: true });
    await expect(newTemplate(folder, "gift-cards", new Date())).rejects.toThrow(/there already/);
    for (const name of ["Gift", "1st", "a", "gift_cards", "../x", "x".repeat(31)]) {
      await expect(newTemplate(folder, name, new Date())).rejects.toThrow(/small letters/);
    }
  });

  it("release refuses while what it stands on is unreleased, or the check is red", async () => {
    const { version } = parse(await readFile(path.join(folder, "base", "template.yaml"), "utf8"));
    if (!(version in ((await lock()).base ?? {}))) {
      expect((await templates("release", "gift-cards")).said).toContain("Release base first");
      await releaseTemplate(folder, "base");
    }
    const seed = path.join(folder, "gift-cards", "seed.sql");
    const sound = await readFile(seed, "utf8");
    await writeFile(seed, "delete from auth.users;\n");
    const { code, said } = await templates("release", "gift-cards");
    expect([code, said]).toEqual([1, expect.stringContaining("is not released")]);
    expect(said).toContain("gift-cards/seed.sql:1: a change in the schema auth is refused");
    await writeFile(seed, sound);
    expect((await lock())["gift-cards"]).toBeUndefined();
  });

  it("release takes the green one, records every file, and an edit or the same version again is refused", async () => {
    const { code, said } = await templates("release", "gift-cards");
    expect([code, said]).toEqual([0, expect.stringContaining("gift-cards 1.0.0 is released")]);
    const files = Object.keys((await lock())["gift-cards"]?.["1.0.0"] ?? {});
    expect(files.map((file) => file.replace(/\d{14}/, "…"))).toEqual([
      "template.yaml",
      "migrations/…_gift_cards.sql",
      "migrations/…_gift_cards_policies.sql",
      "seed.sql",
      "checks.sql",
    ]);
    const copy = path.join(folder, "gift-cards", "releases", "1.0.0", "seed.sql");
    expect(await readFile(copy, "utf8")).toContain("gift_cards_entries");

    expect(await templates("release", "gift-cards")).toMatchObject({
      code: 1,
      said: expect.stringContaining("Raise the version in gift-cards/template.yaml"),
    });
    const migration = path.join(folder, "gift-cards", files[1] ?? "");
    await appendFile(migration, "-- edited\n");
    const { code: red, said: why } = await templates("check", "gift-cards");
    expect([red, why]).toEqual([1, expect.stringContaining("which has changed since")]);
  }, 600_000);
});

const lock = async (): Promise<Record<string, Record<string, object>>> =>
  JSON.parse(await readFile(path.join(folder, "released.lock.json"), "utf8"));

import { execFile } from "node:child_process";
import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadCatalog } from "#app/domain/catalog/index.server.ts";
import { sha256 } from "#app/domain/catalog/template-file.ts";
import { folderOf, removeFolders } from "#app/domain/catalog/template-folders.ts";
import { newTemplate } from "./new.ts";
import { releaseTemplate, undoKilledRelease } from "./release.ts";
import { soundBase, soundShop } from "./sample-templates.ts";

const root = path.join(import.meta.dirname, "..", "..");
let scratch: string;
let folder: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), "berth-new-template-"));
  folder = path.join(scratch, "templates");
  // As they are shipped, whatever of them is released.
  const own = path.join(root, "feature-templates");
  for (const name of ["base", "inventory", "pos", "analytics", "released.lock.json"]) {
    await cp(path.join(own, name), path.join(folder, name), { recursive: true });
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** The command as people run it. */
const templates = (...args: string[]) => templatesIn(folder, ...args);
const templatesIn = (where: string, ...args: string[]) =>
  promisify(execFile)(
    process.execPath,
    [path.join(root, "scripts", "templates.ts"), "--folder", where, ...args],
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
    const shipped = ["base", "inventory", "pos", "analytics"].map((name) =>
      readdir(path.join(folder, name, "migrations")),
    );
    const taken = (await Promise.all(shipped)).flat().map((file) => Number(file.slice(0, 14)));
    expect(digits.map(Number).every((each) => each > Math.max(...taken))).toBe(true);
    expect(new Set(digits).size).toBe(2);
    await rm(path.join(folder, "early"), { recursive: true });
    await expect(newTemplate(folder, "gift-cards", new Date())).rejects.toThrow(/there already/);
    for (const name of [
      "Gift",
      "1st",
      "a",
      "gift_cards",
      "../x",
      "x".repeat(41),
      "a--b",
      "gift-",
    ]) {
      await expect(newTemplate(folder, name, new Date())).rejects.toThrow(/small letters/);
    }
    for (const name of ["select", "auth", "pg-cards", "berth"]) {
      await expect(newTemplate(folder, name, new Date())).rejects.toThrow(/word of SQL/);
    }
  });

  it("release refuses while the check is red", async () => {
    const manifest = path.join(folder, "gift-cards", "template.yaml");
    const { requires } = parse(await readFile(manifest, "utf8"));
    // The newest that is released, not what is being made.
    const newest = Object.keys((await lock()).base ?? {})
      .sort()
      .at(-1);
    expect(requires).toEqual([{ name: "base", range: `^${newest}` }]);
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

describe("a release", () => {
  afterEach(removeFolders);

  it("waits for what the template stands on", async () => {
    const small = await folderOf({ ...soundBase, ...soundShop });
    await expect(releaseTemplate(small, "shop")).rejects.toThrow(/Release base first/);
  });

  it("writes nothing but what was checked", async () => {
    const small = await folderOf({ ...soundBase });
    await loadCatalog(small);
    await appendFile(path.join(small, "base", "checks.sql"), "-- later\n");
    await expect(releaseTemplate(small, "base")).rejects.toThrow(
      /not what was checked: base\/checks\.sql has changed since/,
    );
    expect(await readdir(small)).toEqual(["base"]);
  });

  it("loses none of two that happen at once, and passes over what a killed one left", async () => {
    const small = await folderOf({
      ...soundBase,
      ...Object.fromEntries(
        Object.entries(soundBase).map(([file, text]) => [
          file.replace("base/", "shop/").replace("20260101", "20260501"),
          file.endsWith(".yaml") ? (soundShop["shop/template.yaml"] ?? "") : text,
        ]),
      ),
    });
    await loadCatalog(small);
    // No process has this number.
    await writeFile(path.join(small, ".release"), "99999999\n");
    await releaseTemplate(small, "base");
    const again = await folderOf({});
    await cp(small, again, { recursive: true });
    const text = await readFile(path.join(again, "released.lock.json"), "utf8");
    expect(Object.keys(JSON.parse(text))).toEqual(["base"]);
    const both = [releaseTemplate(again, "shop"), releaseTemplate(again, "shop")];
    const ended = await Promise.allSettled(both);
    expect(ended.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const after = await readFile(path.join(again, "released.lock.json"), "utf8");
    expect(Object.keys(JSON.parse(after)).sort()).toEqual(["base", "shop"]);
    expect((await readdir(again)).sort()).toEqual(["base", "released.lock.json", "shop"]);
  });
});

describe("a release that is killed before the lock", () => {
  afterEach(removeFolders);

  /** A process that runs one function of release.ts, with calls that end it. */
  const runs = (work: string, deadly: string) => (where: string) => {
    const script = `
      import fs from "node:fs/promises";
      import { syncBuiltinESMExports } from "node:module";
      const { rename, rm, unlink } = fs;
      const end = () => process.kill(process.pid, "SIGKILL");
      ${deadly}
      syncBuiltinESMExports();
      const { ${work} } = await import("./scripts/templates/release.ts");
      await ${work}(process.argv[1], "base");`;
    const args = ["--input-type=module", "-e", script, where];
    return promisify(execFile)(process.execPath, args, { cwd: root }).catch((error) => error);
  };
  /** Ends itself where the lock is about to be put in place. */
  const killed = runs(
    "releaseTemplate",
    'fs.rename = (from, to) => to.endsWith("/released.lock.json") ? end() : rename(from, to);',
  );
  /** Ends itself where the first of the copies is gone. */
  const killedAgain = runs(
    "undoKilledRelease",
    `fs.rm = (at, how) => unlink(at + "/template.yaml").then(end, () => rm(at, how));`,
  );

  it("is undone and made by the same command", async () => {
    const small = await folderOf({ ...soundBase, "base/seed.sql": "select 1;\r\n" });
    expect(await killed(small)).toMatchObject({ signal: "SIGKILL" });
    await expect(loadCatalog(small)).rejects.toThrow(/knows no release 1\.0\.0 of base/);
    const { code, said } = await templatesIn(small, "release", "base");
    expect([code, said]).toEqual([0, expect.stringContaining("base 1.0.0 is released")]);
    expect((await loadCatalog(small)).history("base").isReleased).toBe(true);
    expect((await readdir(small)).sort()).toEqual(["base", "released.lock.json"]);
    expect(await readdir(path.join(small, "base", "releases"))).toEqual(["1.0.0"]);
  }, 600_000);

  it("is undone also where that was killed in the midst", async () => {
    const small = await folderOf(soundBase);
    await killed(small);
    expect(await killedAgain(small)).toMatchObject({ signal: "SIGKILL" });
    await undoKilledRelease(small, "base");
    await releaseTemplate(small, "base");
    expect((await readdir(small)).sort()).toEqual(["base", "released.lock.json"]);
    expect(await readdir(path.join(small, "base", "releases"))).toEqual(["1.0.0"]);
  });

  const isLeft = async (small: string) => {
    await undoKilledRelease(small, "base");
    expect(await readdir(path.join(small, "base", "releases"))).toEqual(["1.0.0"]);
  };

  it.each(["checks.sql", "migrations/20260101000100_start.sql"])(
    "is left to somebody's eyes where %s is another since",
    async (file) => {
      const small = await folderOf(soundBase);
      await killed(small);
      await appendFile(path.join(small, "base", file), "-- later\n");
      await isLeft(small);
      await expect(loadCatalog(small)).rejects.toThrow(/Remove the folder/);
    },
  );

  it("is not what a lock has lost", async () => {
    const small = await folderOf(soundBase);
    await releaseTemplate(small, "base");
    await writeFile(path.join(small, "released.lock.json"), "{}\n");
    await isLeft(small);
    // Nor where another template's release was killed, which knew of it.
    const sums = { "template.yaml": sha256(soundBase["base/template.yaml"] as string) };
    const next = { base: { "1.0.0": sums }, shop: { "1.0.0": {} } };
    await writeFile(path.join(small, ".released.lock.json"), JSON.stringify(next));
    await isLeft(small);
  });
});

describe("the command", () => {
  afterEach(removeFolders);

  it("says at once that another process is releasing", async () => {
    // Whose check would be red.
    const small = await folderOf({ ...soundBase, "base/seed.sql": "delete from auth.users;\n" });
    await writeFile(path.join(small, ".release"), `${process.pid}\n`);
    const { code, said } = await templatesIn(small, "release", "base");
    expect([code, said]).toEqual([
      1,
      expect.stringContaining(`Process ${process.pid} is writing here`),
    ]);
  });

  it("says what it can do, which command it does not know, and that a folder is missing", async () => {
    expect(await templates("--help")).toMatchObject({
      code: 0,
      said: expect.stringContaining("--folder DIR"),
    });
    expect((await templates("chekc")).said).toContain('There is no command "chekc".');
    const nowhere = path.join(scratch, "nowhere");
    const { code, said } = await templates("check", "--folder", nowhere);
    expect([code, said]).toEqual([
      1,
      `There is no folder ${nowhere}. Name another with --folder.\n`,
    ]);
  });
});

const lock = async (): Promise<Record<string, Record<string, object>>> =>
  JSON.parse(await readFile(path.join(folder, "released.lock.json"), "utf8"));

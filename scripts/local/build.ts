import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** What the build reads. Routes may import from all of app/ and db/. */
const INPUTS = ["app", "db", "public", "vite.config.ts", "remix.config.js", "package-lock.json"];

async function filesOf(root: string): Promise<string[]> {
  const files: string[] = [];
  for (const input of INPUTS) {
    const entries = await readdir(path.join(root, input), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => null);
    if (entries === null) files.push(input);
    for (const entry of entries ?? []) {
      const file = path.relative(root, path.join(entry.parentPath, entry.name));
      if (entry.isFile() && !/\.test\.tsx?$/.test(file)) files.push(file);
    }
  }
  return files.sort();
}

/** A hash over names and contents of everything that the build reads. */
async function hashOfInputs(root: string): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const file of await filesOf(root)) {
    const content = await readFile(path.join(root, file)).catch(() => "");
    hash.update(`${file}\0`).update(createHash("sha256").update(content).digest());
  }
  return hash.digest("hex");
}

/**
 * Builds the web pages (`npm run build`) unless the build is that of the sources as they stand.
 * What the build prints goes to `logFile`. Throws when it fails, with the end of what it said.
 */
export async function buildWhenNeeded(options: {
  root: string;
  logFile: string;
  say: (message: string) => void;
  signal?: AbortSignal;
}): Promise<void> {
  const { root, logFile, say, signal } = options;
  const stamp = path.join(root, "build", "inputs.sha256");
  const hash = await hashOfInputs(root);
  const isBuilt = existsSync(path.join(root, "build", "server", "index.js"));
  const last = await readFile(stamp, "utf8").catch(() => "");
  if (isBuilt && last === hash) return;

  say("Building the pages …");
  // A build that is broken off leaves no whole one, whatever the sources are next time.
  await rm(stamp, { force: true });
  await mkdir(path.dirname(logFile), { recursive: true });
  const output = await open(logFile, "w");
  try {
    const cli = path.join(root, "node_modules", "@remix-run", "dev", "dist", "cli.js");
    const child = spawn(process.execPath, [cli, "vite:build"], {
      cwd: root,
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", output.fd, output.fd],
      signal,
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", resolve);
    });
    if (code !== 0) {
      const said = (await readFile(logFile, "utf8")).slice(-2_000);
      throw new Error(`The build did not succeed:\n${said}`);
    }
  } finally {
    await output.close();
  }
  await writeFile(stamp, hash);
}

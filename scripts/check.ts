/** `npm run check`: the fast part of `npm test`. Lint and form, types, imports, unused code. */
import { spawn } from "node:child_process";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const program = (...parts: string[]) => path.join(root, "node_modules", ...parts);

const checks = [
  {
    name: "lint and format (biome)",
    script: program("@biomejs", "biome", "bin", "biome"),
    args: ["ci", "--error-on-warnings", "--colors=off", "."],
  },
  { name: "types (tsc)", script: program("typescript", "bin", "tsc"), args: ["--noEmit"] },
  {
    name: "imports (dependency-cruiser)",
    script: program("dependency-cruiser", "bin", "dependency-cruise.mjs"),
    args: [
      "--config",
      ".dependency-cruiser.cjs",
      "app",
      "db",
      "local",
      "sandbox",
      "scripts",
      "tests",
    ],
  },
  { name: "unused (knip)", script: program("knip", "bin", "knip.js"), args: ["--no-progress"] },
];

export interface CheckResult {
  name: string;
  ok: boolean;
  ms: number;
}

function runCheck(check: (typeof checks)[number]): Promise<CheckResult> {
  return new Promise((resolve) => {
    const begin = Date.now();
    const child = spawn(process.execPath, [check.script, ...check.args], { cwd: root });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("close", (code) => {
      const ms = Date.now() - begin;
      const ok = code === 0;
      process.stdout.write(
        `${ok ? "ok  " : "FAIL"}  ${check.name}  ${(ms / 1000).toFixed(1)} s\n${ok ? "" : output}`,
      );
      resolve({ name: check.name, ok, ms });
    });
  });
}

/** Runs all checks, two at a time, and prints each with what it found. */
export async function runChecks(): Promise<CheckResult[]> {
  const waiting = [...checks];
  const results: CheckResult[] = [];
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      results.push(await runCheck(check));
    }
  };
  await Promise.all([lane(), lane()]);
  return results;
}

if (import.meta.main) {
  const results = await runChecks();
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}

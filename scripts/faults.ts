/**
 * `npm run faults [-- NAME…] [--rounds N]`: plays faults and prints what became of them. Ends with
 * 1 when a test has failed, or a figure misses its aim.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.join(import.meta.dirname, "..");
const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");

/** By name: the files under `tests/faults` that are played. */
const SUITES: Record<string, string[]> = {
  runner: ["sql-session", "third-sessions", "take-over", "two-runners", "retry", "gauntlet"],
  sessions: ["sql-session"],
  "third-sessions": ["third-sessions"],
  "take-over": ["take-over"],
  "two-runners": ["two-runners"],
  retry: ["retry"],
  gauntlet: ["gauntlet"],
};

async function play(files: readonly string[], rounds: string, reportFile: string) {
  const child = spawn(
    process.execPath,
    [vitest, "run", "--project", "faults", ...files.map((file) => `tests/faults/${file}.fault`)],
    {
      cwd: root,
      env: { ...process.env, BERTH_FAULT_ROUNDS: rounds, BERTH_FAULT_REPORT: reportFile },
      stdio: "inherit",
    },
  );
  return new Promise<number | null>((resolve) => child.once("exit", resolve));
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "20" } },
});
const unknown = positionals.find((name) => !SUITES[name]);
if (unknown !== undefined) {
  process.stderr.write(
    `There is no fault suite "${unknown}". There are: ${Object.keys(SUITES).join(", ")}.\n`,
  );
  process.exit(1);
}
if (!/^[1-9]\d{0,3}$/.test(values.rounds)) {
  process.stderr.write("--rounds takes a whole number above zero.\n");
  process.exit(1);
}
const names = positionals.length > 0 ? positionals : ["runner"];
const files = [...new Set(names.flatMap((name) => SUITES[name] ?? []))];
const begun = Date.now();
const scratch = await mkdtemp(path.join(tmpdir(), "berth-faults-"));
const reportFile = path.join(scratch, "report.txt");
const exitCode = await play(files, values.rounds, reportFile);
const results = await readFile(reportFile, "utf8").catch(() => "");
await rm(scratch, { recursive: true, force: true });
const isMissed = / NOT ok$/m.test(results);
process.stdout.write(`\n${results}\n`);
process.stdout.write(
  `${((Date.now() - begun) / 60_000).toFixed(1)} minutes: ` +
    `${exitCode === 0 ? "every test passed" : "there are failed tests"}` +
    `${isMissed ? "; a figure is NOT ok" : ""}\n`,
);
process.exitCode = exitCode === 0 && !isMissed ? 0 : 1;

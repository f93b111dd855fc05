/**
 * `npm test`: the checks, then every suite of tests, then one summary whose last line is
 * `N passed, N failed`. Checks count as tests; a skipped test counts as failed. Budgets are
 * printed beside the times; they judge nothing.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { runChecks } from "./check.ts";

const root = path.join(import.meta.dirname, "..");
const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");

interface Suite {
  /** A project of vitest.config.ts. */
  name: string;
  /** The one part of it that is run here. */
  only?: string;
  /** Seconds. */
  budget: number;
}

/** In the order of what they cost. */
const suites: Suite[] = [
  { name: "unit", budget: 60 },
  { name: "module", budget: 120 },
  { name: "parts", budget: 150 },
  // The lost COMMITs; all other faults take minutes and are for `npm run faults`, with a sample of
  // each kind among the integration tests.
  { name: "faults", only: "tests/faults/sql-session", budget: 120 },
  { name: "integration", budget: 300 },
];
const CHECK_BUDGET = 60;

interface Row {
  name: string;
  passed: number;
  failed: number;
  seconds: number;
  budget: number;
}

/** The parts of vitest's JSON report that are read here. */
interface Report {
  testResults: {
    name: string;
    status: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
}

async function count(reportFile: string, exitCode: number | null) {
  const report = await readFile(reportFile, "utf8")
    .then((text) => JSON.parse(text) as Report)
    .catch((): Report => ({ testResults: [] }));
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const results = file.assertionResults;
    const good = results.filter(({ status }) => status === "passed").length;
    for (const { status, fullName } of results) {
      if (status !== "passed" && status !== "failed") {
        process.stdout.write(`Skipped, which counts as failed: ${fullName}\n`);
      }
    }
    passed += good;
    failed += results.length - good;
    // A file that does not load, or has a failing hook, fails without a failed test.
    if (file.status === "failed" && results.length === good) failed += 1;
  }
  // Unhandled errors fail a run whose tests all passed, and so does a run without any report.
  if (failed === 0 && (exitCode !== 0 || passed === 0)) failed = 1;
  return { passed, failed };
}

async function runSuite(suite: Suite, scratch: string): Promise<Row> {
  process.stdout.write(`\n${suite.name}\n`);
  const begin = Date.now();
  const reportFile = path.join(scratch, `${suite.name}.json`);
  const child = spawn(
    process.execPath,
    [
      vitest,
      "run",
      "--project",
      suite.name,
      ...(suite.only ? [suite.only] : []),
      "--reporter=dot",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
    ],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  const exitCode = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  const seconds = (Date.now() - begin) / 1000;
  return {
    name: suite.name,
    seconds,
    budget: suite.budget,
    ...(await count(reportFile, exitCode)),
  };
}

async function checkRow(): Promise<Row> {
  const begin = Date.now();
  const results = await runChecks();
  const passed = results.filter(({ ok }) => ok).length;
  const seconds = (Date.now() - begin) / 1000;
  return { name: "check", passed, failed: results.length - passed, seconds, budget: CHECK_BUDGET };
}

function print(rows: Row[]): { passed: number; failed: number } {
  const total = { passed: 0, failed: 0 };
  process.stdout.write("\nsuite         passed  failed      time    budget\n");
  for (const { name, passed, failed, seconds, budget } of rows) {
    total.passed += passed;
    total.failed += failed;
    const over = seconds > budget ? "  over its budget" : "";
    process.stdout.write(
      `${name.padEnd(12)}${String(passed).padStart(8)}${String(failed).padStart(8)}${seconds.toFixed(1).padStart(8)} s${String(budget).padStart(8)} s${over}\n`,
    );
  }
  return total;
}

const scratch = await mkdtemp(path.join(tmpdir(), "berth-test-"));
const rows = [await checkRow()];
for (const suite of suites) rows.push(await runSuite(suite, scratch));
await rm(scratch, { recursive: true, force: true });
const { passed, failed } = print(rows);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

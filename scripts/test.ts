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
const playwright = path.join(root, "node_modules", "@playwright", "test", "cli.js");

interface Suite {
  /** A project of vitest.config.ts, or "e2e" for Playwright's. */
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
  { name: "e2e", budget: 420 },
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

/** The parts of Playwright's JSON report that are read here. */
interface BrowserReport {
  errors: { message?: string }[];
  suites: BrowserSuite[];
}

interface BrowserSuite {
  specs: { title: string; tests: { status: string }[] }[];
  suites?: BrowserSuite[];
}

/** A run without any test, or that failed apart from its tests, has failed. */
function judged(passed: number, failed: number, exitCode: number | null) {
  return { passed, failed: failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : failed };
}

const readReport = <T>(file: string, none: T): Promise<T> =>
  readFile(file, "utf8")
    .then((text) => JSON.parse(text) as T)
    .catch(() => none);

/** A browser test has passed when it did so at the first try: skipped and flaky ones failed. */
async function countBrowserTests(reportFile: string, exitCode: number | null) {
  const none: BrowserReport = { errors: [], suites: [] };
  const { errors, suites } = await readReport(reportFile, none);
  let passed = 0;
  let failed = errors.length;
  const visit = ({ specs, suites: inner = [] }: BrowserSuite) => {
    for (const { title, tests } of specs) {
      for (const { status } of tests) {
        if (status === "expected") passed += 1;
        else failed += 1;
        if (status === "skipped" || status === "flaky") {
          process.stdout.write(`${status}, which counts as failed: ${title}\n`);
        }
      }
    }
    inner.forEach(visit);
  };
  suites.forEach(visit);
  return judged(passed, failed, exitCode);
}

async function countTests(reportFile: string, exitCode: number | null) {
  const report = await readReport<Report>(reportFile, { testResults: [] });
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
  return judged(passed, failed, exitCode);
}

/** The arguments of Node.js that run a suite and write its report. */
function command({ name, only }: Suite, reportFile: string): string[] {
  if (name === "e2e") return [playwright, "test", "--reporter=dot,json"];
  return [
    vitest,
    "run",
    "--project",
    name,
    ...(only ? [only] : []),
    "--reporter=dot",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
  ];
}

async function runSuite(suite: Suite, scratch: string): Promise<Row> {
  process.stdout.write(`\n${suite.name}\n`);
  const begin = Date.now();
  const reportFile = path.join(scratch, `${suite.name}.json`);
  const child = spawn(process.execPath, command(suite, reportFile), {
    cwd: root,
    // Set for Playwright, which takes the place of its JSON report from nowhere else.
    env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  const seconds = (Date.now() - begin) / 1000;
  const count = suite.name === "e2e" ? countBrowserTests : countTests;
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

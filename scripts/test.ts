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
  env?: Record<string, string>;
  /** Seconds. */
  budget: number;
}

/** In the order of what they cost. */
const suites: Suite[] = [
  { name: "unit", budget: 60 },
  { name: "templates", budget: 60 },
  { name: "module", budget: 120 },
  { name: "parts", budget: 150 },
  // The lost COMMITs, and some of the other faults of one session; all faults of whole runs take
  // minutes and are for `npm run faults`, with a sample of each kind among the integration tests.
  {
    name: "faults",
    only: "tests/faults/sql-session",
    env: { BERTH_FAULT_ROUNDS: "5" },
    budget: 60,
  },
  { name: "integration", budget: 300 },
  { name: "e2e", budget: 420 },
];
const CHECK_BUDGET = 60;

interface Row {
  name: string;
  passed: number;
  failed: number;
  /** What did not pass, by name, for the end of the output. */
  names: string[];
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
function judged(passed: number, names: string[], exitCode: number | null) {
  const whole = names.length === 0 && (exitCode !== 0 || passed === 0);
  return { passed, failed: whole ? 1 : names.length, names: whole ? ["the run itself"] : names };
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
  const names = errors.map(({ message }) => `an error apart from tests: ${message}`);
  const visit = ({ specs, suites: inner = [] }: BrowserSuite) => {
    for (const { title, tests } of specs) {
      for (const { status } of tests) {
        if (status === "expected") passed += 1;
        else names.push(status === "unexpected" ? title : `${title} (${status})`);
      }
    }
    inner.forEach(visit);
  };
  suites.forEach(visit);
  return judged(passed, names, exitCode);
}

async function countTests(reportFile: string, exitCode: number | null) {
  const report = await readReport<Report>(reportFile, { testResults: [] });
  let passed = 0;
  const names: string[] = [];
  for (const file of report.testResults) {
    const results = file.assertionResults;
    const bad = results.filter(({ status }) => status !== "passed");
    passed += results.length - bad.length;
    for (const { status, fullName } of bad) {
      names.push(status === "failed" ? fullName : `${fullName} (${status})`);
    }
    // A file that does not load, or has a failing hook, fails without a failed test.
    if (file.status === "failed" && bad.length === 0) names.push(path.relative(root, file.name));
  }
  return judged(passed, names, exitCode);
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
  // Where nobody watches, as in CI, colours would bury what failed. Each program has its own switch.
  const plain = suite.name === "e2e" ? { FORCE_COLOR: "0" } : { NO_COLOR: "1" };
  const child = spawn(process.execPath, command(suite, reportFile), {
    cwd: root,
    // Set for Playwright, which takes the place of its JSON report from nowhere else.
    env: {
      ...process.env,
      ...(process.stdout.isTTY ? {} : plain),
      ...suite.env,
      PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile,
      // Hundreds of processes load the same packages: each is compiled once.
      NODE_COMPILE_CACHE: path.join(scratch, "compiled"),
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await new Promise<number | null>((resolve) => {
    child.once("exit", resolve);
    // It could not be started.
    child.once("error", () => resolve(null));
  });
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
  const names = results.filter(({ ok }) => !ok).map(({ name }) => name);
  return {
    name: "check",
    passed: results.length - names.length,
    failed: names.length,
    names,
    seconds: (Date.now() - begin) / 1000,
    budget: CHECK_BUDGET,
  };
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
  for (const { name, names } of rows) {
    for (const what of names) process.stdout.write(`\nfailed in ${name}: ${what}`);
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

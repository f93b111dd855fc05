/**
 * The browser of the tests (docs/decisions/0010-browser-tests.md). Found once per run; when there is
 * none, one is installed. Every candidate opens a page before it counts as found.
 */
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { chromium, type LaunchOptions } from "@playwright/test";

/** A browser to try. Neither path nor channel: the one that Playwright brings. */
export interface Candidate {
  executablePath?: string;
  channel?: string;
  args: string[];
  /** What its process needs beside our own environment. */
  env?: Record<string, string>;
}

/** One way to come by a browser. */
export interface Way {
  name: string;
  /** Said before something is installed, since that takes minutes. */
  say?: string;
  /** What to try, in order; none where this way is closed on this machine. */
  candidates(): Promise<Candidate[]>;
}

const root = path.join(import.meta.dirname, "..");
const cache = path.join(root, "node_modules", ".cache", "berth");
/** Made for Amazon's Lambda: it brings the libraries that a bare machine lacks. */
const BARE_CHROMIUM = "@sparticuz/chromium@153.0.0";
const SYSTEM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const ARGS = ["--disable-gpu", "--disable-quic"];
const MINUTE_MS = 60_000;

/** Runs a program to its end. Resolves with what it printed, or null when it failed. */
function run(
  program: string,
  args: string[],
  options: { env?: Record<string, string>; minutes: number },
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: options.minutes * MINUTE_MS,
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.once("error", () => resolve(null));
    child.once("close", (code) => resolve(code === 0 ? output.trim() : null));
  });
}

async function onPath(): Promise<Candidate[]> {
  const paths = await Promise.all(
    SYSTEM_NAMES.map((name) => run("/bin/sh", ["-c", `command -v ${name}`], { minutes: 1 })),
  );
  return paths.flatMap((executablePath) =>
    executablePath ? [{ executablePath, args: ARGS }] : [],
  );
}

async function playwrightsDownload(): Promise<Candidate[]> {
  const cli = path.join(root, "node_modules", "@playwright", "test", "cli.js");
  // Where its server cannot be reached, this ends within seconds.
  const env = { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: "10000" };
  const args = [cli, "install", "chromium-headless-shell"];
  const said = await run(process.execPath, args, { env, minutes: 5 });
  return said === null ? [] : [{ args: ARGS }];
}

async function debiansPackage(): Promise<Candidate[]> {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return [];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update"], { env, minutes: 3 });
  const args = ["install", "-y", "--no-install-recommends", "chromium"];
  return (await run("apt-get", args, { env, minutes: 8 })) === null ? [] : onPath();
}

async function bareChromium(): Promise<Candidate[]> {
  if (process.platform !== "linux") return [];
  const folder = path.join(cache, "chromium");
  await mkdir(folder, { recursive: true });
  const quiet = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const args = ["install", "--prefix", folder, ...quiet, BARE_CHROMIUM];
  if ((await run("npm", args, { minutes: 5 })) === null) return [];
  // It unpacks itself to TMPDIR, and its libraries only where it takes itself to be on Lambda.
  const main = path.join(folder, "node_modules", "@sparticuz", "chromium", "build", "index.js");
  const script = `console.log(await (await import(${JSON.stringify(main)})).default.executablePath())`;
  const executablePath = await run(process.execPath, ["--input-type=module", "-e", script], {
    env: { TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: "nodejs24.x" },
    minutes: 3,
  });
  if (!executablePath) return [];
  // Not the flags that the package recommends: those switch the web's security off, which is what
  // some of our tests are about. The machine's own libraries go first, where it has them.
  const chosen = { executablePath, args: [...ARGS, "--no-zygote"] };
  const fonts = path.join(folder, "fonts.conf");
  await writeFile(fonts, `<fontconfig><dir>${path.join(folder, "fonts")}</dir></fontconfig>`);
  const libraries = path.join(folder, "al2023", "lib");
  return [chosen, { ...chosen, env: { FONTCONFIG_FILE: fonts, LD_LIBRARY_PATH: libraries } }];
}

/** In the order of preference; `BERTH_BROWSER`, the path of a browser, comes before all of them. */
export const WAYS: Way[] = [
  { name: "Playwright's own", candidates: async () => [{ args: ARGS }] },
  {
    name: "Playwright's own, downloaded",
    say: "Downloading Playwright's browser …",
    candidates: playwrightsDownload,
  },
  { name: "Chromium or Chrome on the PATH", candidates: onPath },
  {
    name: "Chrome where it usually is",
    candidates: async () => [{ channel: "chrome", args: ARGS }],
  },
  {
    name: "Debian's package",
    say: "Installing Debian's package of Chromium …",
    candidates: debiansPackage,
  },
  {
    name: BARE_CHROMIUM,
    say: `Installing ${BARE_CHROMIUM} from npm …`,
    candidates: bareChromium,
  },
];

function launchOptions({ env, ...candidate }: Candidate): LaunchOptions {
  if (!env) return candidate;
  const own = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...candidate, env: { ...Object.fromEntries(own), ...env } };
}

/** Whether it starts and opens a page. */
async function opensPage(candidate: Candidate): Promise<boolean> {
  try {
    const browser = await chromium.launch({ ...launchOptions(candidate), timeout: MINUTE_MS / 2 });
    try {
      const page = await browser.newPage();
      await page.goto("data:text/html,<title>ready</title>", { timeout: MINUTE_MS / 2 });
      return (await page.title()) === "ready";
    } finally {
      await browser.close();
    }
  } catch {
    return false;
  }
}

/**
 * Goes through the ways until a candidate opens a page.
 * @throws a sentence that says what to do, when none does
 */
export async function search(
  ways: Way[],
  opens: (candidate: Candidate) => Promise<boolean>,
  log: (message: string) => void,
): Promise<Candidate> {
  for (const way of ways) {
    if (way.say) log(way.say);
    for (const candidate of await way.candidates()) {
      if (await opens(candidate)) return candidate;
    }
  }
  const tried = ways.map(({ name }) => name).join("; ");
  throw new Error(
    `The browser tests need Chromium or Chrome, and none was found or could be installed here (tried: ${tried}). Install one, or name one: BERTH_BROWSER=/path/to/chrome npm test.`,
  );
}

async function named(executablePath: string): Promise<Candidate> {
  const candidate = { executablePath, args: ARGS };
  if (await opensPage(candidate)) return candidate;
  throw new Error(`BERTH_BROWSER names ${executablePath}, which does not open a page.`);
}

/** What the last run found comes first: no second look for downloads. */
async function remembered(): Promise<Candidate> {
  const file = path.join(cache, "browser.json");
  const last = await readFile(file, "utf8")
    .then((text) => JSON.parse(text) as Candidate)
    .catch(() => null);
  const log = (message: string) => process.stdout.write(`${message}\n`);
  const ways = last ? [{ name: "the last one", candidates: async () => [last] }, ...WAYS] : WAYS;
  const found = await search(ways, opensPage, log);
  await mkdir(cache, { recursive: true });
  await writeFile(file, JSON.stringify(found));
  return found;
}

/**
 * The options to launch the tests' browser with.
 * @throws a sentence that says what to do, when there is none and none can be installed
 */
export async function findBrowser(): Promise<LaunchOptions> {
  // Each worker reads Playwright's configuration again; it inherits the answer.
  const known = process.env.BERTH_E2E_BROWSER;
  if (known) return launchOptions(JSON.parse(known) as Candidate);
  const wish = process.env.BERTH_BROWSER;
  const found = wish ? await named(wish) : await remembered();
  process.env.BERTH_E2E_BROWSER = JSON.stringify(found);
  return launchOptions(found);
}

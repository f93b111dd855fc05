// Runs before `npm start`, `npm run dev`, `npm test` and `npm run check`: installs the packages
// when they are missing or not those of the lock file. Plain JavaScript without dependencies,
// since in a clean clone the machine's own Node.js (20 or newer) runs it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const lockFile = path.join(root, "package-lock.json");
const installed = path.join(root, "node_modules", ".package-lock.json");
const marker = path.join(root, "node_modules", ".berth-installed");

function stop(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function lockHash() {
  return createHash("sha256").update(readFileSync(lockFile)).digest("hex");
}

/** npm writes its hidden lock file last, so a broken-off install counts as none. */
function isInstalled() {
  if (!existsSync(installed)) return false;
  if (existsSync(marker)) return readFileSync(marker, "utf8") === lockHash();
  return statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** `npm ci` removes node_modules, and with it the Node.js that may be running this script. */
function nodeOfTheMachine() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const found = folders.find(
    (folder) => !folder.includes("node_modules") && existsSync(path.join(folder, name)),
  );
  return found ? path.join(found, name) : process.execPath;
}

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 20) stop(`Berth needs Node.js 20 or newer to install; this is ${process.version}.`);

const command = process.env.npm_lifecycle_event ?? "";
if (process.env.NODE_ENV === "production" && /^pre(start|dev)$/.test(command)) {
  stop(
    "NODE_ENV is production, but npm start is for a developer's machine. Unset NODE_ENV, or use npm run web and npm run worker.",
  );
}

if (!isInstalled()) {
  process.stdout.write("Installing packages (npm ci), about a minute …\n");
  const npm = process.env.npm_execpath;
  // Engine warnings are about the Node.js that runs npm; Berth runs on the one this installs.
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = { cwd: root, stdio: "inherit", env: { ...process.env, NODE_ENV: "development" } };
  const result = npm
    ? spawnSync(nodeOfTheMachine(), [npm, ...args], options)
    : spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
  if (result.status !== 0) stop("npm ci did not succeed. Its messages above say why.");
}
if (!existsSync(marker)) writeFileSync(marker, lockHash());

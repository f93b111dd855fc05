/** `npm start` and, with `--dev`, `npm run dev`: a whole Berth on this machine. */
import { once } from "node:events";
import path from "node:path";
import { parseArgs } from "node:util";
import { AlreadyRunningError, type LocalInfo, startLocal } from "./local/start-local.ts";
import { watchSources } from "./local/watch.ts";

const root = path.join(import.meta.dirname, "..");
const { values } = parseArgs({
  options: {
    dev: { type: "boolean", default: false },
    "data-dir": { type: "string", default: path.join(root, ".data") },
    "any-ports": { type: "boolean", default: false },
  },
});
const dataDir = path.resolve(values["data-dir"]);
const say = (message: string) => process.stdout.write(`${message}\n`);

function summary(info: LocalInfo): string {
  const width = Math.max(...info.accounts.map(({ email }) => email.length), 5);
  return [
    "",
    `  Berth            ${info.url}`,
    `  API reference    ${info.url}/docs/api`,
    `  Mail it sent     ${info.mailUrl}`,
    `  Supabase sandbox ${info.supabase.managementUrl}`,
    "",
    ...info.accounts.map(
      ({ role, email, password }) => `  ${role.padEnd(16)} ${email.padEnd(width)}  ${password}`,
    ),
    "",
    `  API key, database and the rest: ${path.relative(process.cwd(), path.join(dataDir, "local.json"))}`,
    "",
  ].join("\n");
}

const begin = Date.now();

const interrupted = new AbortController();
let signals = 0;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    signals += 1;
    // One Ctrl-C can arrive twice, from the terminal and from npm; a third signal is impatience.
    if (signals > 2) process.exit(1);
    interrupted.abort(new Error("Stopped before everything had started."));
  });
}

try {
  const local = await startLocal({
    root,
    dataDir,
    dev: values.dev,
    ports: values["any-ports"] ? "any" : {},
    log: say,
    signal: interrupted.signal,
  });
  say(summary(local.info));
  say(`Ready after ${((Date.now() - begin) / 1000).toFixed(1)} s. Ctrl-C stops everything.`);
  const unwatch = values.dev
    ? watchSources(root, (file) => {
        say(`${file} changed: starting Berth again.`);
        void local.reload();
      })
    : () => {};
  if (!interrupted.signal.aborted) await once(interrupted.signal, "abort");
  say("Stopping …");
  unwatch();
  await local.stop();
  say("Stopped. The data stays for the next start.");
  process.exit(0);
} catch (error) {
  if (error instanceof AlreadyRunningError) {
    say(
      error.info
        ? `Berth is already running here.\n${summary(error.info)}`
        : "Berth is already being started here by another process.",
    );
    process.exit(0);
  }
  if (interrupted.signal.aborted) {
    say("Stopped before everything had started. The next start goes on from here.");
    process.exit(0);
  }
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

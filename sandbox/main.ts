/** Starts the stand-in for Supabase: `node sandbox/main.ts`. Settings: see README.md. */
import { createLog } from "./platform/log.ts";
import { startSandbox } from "./sandbox.ts";
import { readSettings, SettingsError } from "./settings.ts";

const log = createLog(process.env.SANDBOX_LOG_LEVEL ?? "info");
/** How often the process looks whether its parent still lives, in milliseconds. */
const PARENT_CHECK_MS = 1_000;

try {
  // SANDBOX_DETACHED lets it outlive the shell that started it.
  const parent = process.env.SANDBOX_DETACHED ? null : process.ppid;
  const starting = startSandbox(readSettings(process.env), log);
  let stopping = false;
  const stop = async (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, "sandbox stops");
    await starting.then((sandbox) => sandbox.stop());
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => stop(signal));
  process.on("disconnect", () => stop("parent closed the channel"));
  if (parent !== null) {
    setInterval(() => {
      // The kernel gives a child of a dead process another parent.
      if (process.ppid !== parent) stop("parent is gone");
    }, PARENT_CHECK_MS).unref();
  }
  const sandbox = await starting;
  process.send?.({ ready: true, managementUrl: sandbox.managementUrl });
} catch (error) {
  if (error instanceof SettingsError) log.fatal(error.message);
  else log.fatal({ err: error }, "sandbox could not start");
  process.exit(1);
}

/** `npm run keys -- generate`: prints fresh secrets for a production environment. */
import { generateKey } from "#app/domain/vault/index.server.ts";
import { newAppSecret, newDatabasePassword } from "./local/keys.ts";

const [command] = process.argv.slice(2);
if (command !== "generate") {
  process.stderr.write(
    "npm run keys -- generate   prints a fresh ENCRYPTION_KEYS, APP_SECRET and database passwords\n",
  );
  process.exit(command === undefined ? 0 : 1);
}

process.stdout.write(
  [
    `ENCRYPTION_KEYS=${generateKey(new Date())}`,
    `APP_SECRET=${newAppSecret()}`,
    "# Passwords for the log-ins of DATABASE_URL, AUTH_DATABASE_URL and JOBS_DATABASE_URL:",
    ...["berth_app", "berth_auth", "berth_jobs"].map(
      (role) => `# ${role} ${newDatabasePassword()}`,
    ),
    "",
  ].join("\n"),
);

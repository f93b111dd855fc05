import { execFile } from "node:child_process";
import { access, glob, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import type { SqlStep } from "#app/integrations/postgres/ledger.ts";
import { atEnd } from "../ending.ts";
import type { Customer } from "./customers.ts";

/** What brings the files into a customer's database. */
export type Tool = (customer: Customer) => Promise<void>;

const run = promisify(execFile);

function address({ user, port, database, caFile }: Customer): string {
  const tls = `sslmode=verify-full&sslrootcert=${encodeURIComponent(caFile)}`;
  return `postgresql://${user}@127.0.0.1:${port}/${database}?${tls}`;
}

/** The newest psql under a server's own folder: what Debian puts on the path is a wrapper. */
async function findPsql(): Promise<string | null> {
  const places = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/*/bin"];
  const found: string[] = [];
  for (const place of places) for await (const file of glob(`${place}/psql`)) found.push(file);
  return found.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1) ?? null;
}

/** `psql -1`: all files in one process and one transaction, without a ledger. */
async function preparePsql(folder: string, steps: SqlStep[]): Promise<Tool | null> {
  const psql = await findPsql();
  if (!psql) {
    process.stderr.write("runner: no psql under /usr/lib/postgresql; its side is left out.\n");
    return null;
  }
  const files = steps.map((step) => path.join(folder, `${step.version}_${step.name}.sql`));
  for (const [index, file] of files.entries()) await writeFile(file, steps[index]?.sql ?? "");
  return async (customer) => {
    const args = ["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", ...files.flatMap((f) => ["-f", f])];
    const env = { ...process.env, PGPASSWORD: customer.password };
    await run(psql, [...args, address(customer)], { env });
  };
}

/** Supabase's CLI, without the wrapper of its npm package. */
async function prepareSupabase(folder: string, steps: SqlStep[]): Promise<Tool | null> {
  const binary = path.resolve(
    `node_modules/@supabase/cli-${process.platform}-${process.arch}/bin/supabase`,
  );
  const isThere = await access(binary).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    process.stderr.write(`runner: no ${binary}; its side is left out.\n`);
    return null;
  }
  const migrations = path.join(folder, "supabase", "migrations");
  await mkdir(migrations, { recursive: true });
  for (const { version, name, sql } of steps) {
    await writeFile(path.join(migrations, `${version}_${name}.sql`), sql);
  }
  return async (customer) => {
    const url = address(customer).replace("@", `:${customer.password}@`);
    const env = { ...process.env, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
    const args = ["db", "push", `--remote=${url}`, "--yes", "--workdir", folder];
    await run(binary, args, { env });
  };
}

/** drizzle's migrator, in this process: it sends what stands between two breakpoints at a time. */
async function prepareDrizzle(folder: string, steps: SqlStep[]): Promise<Tool> {
  await mkdir(path.join(folder, "meta"), { recursive: true });
  const entries = steps.map(({ version, name }, idx) => ({
    idx,
    version: "7",
    when: Number(version),
    tag: `${version}_${name}`,
    breakpoints: true,
  }));
  const journal = { version: "7", dialect: "postgresql", entries };
  await writeFile(path.join(folder, "meta", "_journal.json"), JSON.stringify(journal));
  for (const [index, { tag }] of entries.entries()) {
    const statements = steps[index]?.statements.map(({ sql }) => `${sql};`) ?? [];
    const text = statements.join("\n--> statement-breakpoint\n");
    await writeFile(path.join(folder, `${tag}.sql`), text);
  }
  return async (customer) => {
    const client = await customer.connectPlainly();
    await migrate(drizzle(client), { migrationsFolder: folder });
    await client.end();
  };
}

/** The tools that are there on this machine, by the names of their sides. */
export async function prepareTools(steps: SqlStep[]): Promise<Map<string, Tool>> {
  const folder = async (name: string) => {
    const made = await mkdtemp(path.join(tmpdir(), `berth-bench-${name}-`));
    atEnd(() => rm(made, { recursive: true, force: true }));
    return made;
  };
  const tools = {
    "psql -1": await preparePsql(await folder("psql"), steps),
    "supabase db push": await prepareSupabase(await folder("supabase"), steps),
    "drizzle migrator": await prepareDrizzle(await folder("drizzle"), steps),
  };
  return new Map(Object.entries(tools).filter((entry): entry is [string, Tool] => !!entry[1]));
}

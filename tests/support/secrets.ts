/** Looks for secrets where they must not be. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { SandboxProject } from "./berth.ts";

/** The ways in which a secret could be written down. */
const guises = (secret: string) => [
  secret,
  Buffer.from(secret).toString("base64").replace(/=+$/, ""),
  Buffer.from(secret).toString("base64url"),
  encodeURIComponent(secret),
];

/** What of a project must never be seen again, by name. */
export function secretsOf(project: SandboxProject): Map<string, string> {
  return new Map([
    [`anon key of ${project.ref}`, project.anonKey],
    [`service-role key of ${project.ref}`, project.serviceRoleKey],
    [`secret key of ${project.ref}`, project.secretKey],
    [`database password of ${project.ref}`, new URL(project.databaseUrl).password],
  ]);
}

/** One line per secret that a text holds, in any guise. */
export function secretsIn(
  text: string,
  where: string,
  secrets: ReadonlyMap<string, string>,
): string[] {
  return [...secrets]
    .filter(([, secret]) => guises(secret).some((guise) => text.includes(guise)))
    .map(([name]) => `${name} in ${where}`);
}

/**
 * Reads every log of a local installation but the sandbox's own, which plays the customer's side.
 * @returns how many logs there were, and one line per secret that one of them holds
 */
export async function secretsInLogs(
  dataDir: string,
  secrets: ReadonlyMap<string, string>,
): Promise<{ logs: number; found: string[] }> {
  const folder = path.join(dataDir, "logs");
  const logs = (await readdir(folder)).filter((name) => !name.includes("sandbox"));
  const found: string[] = [];
  for (const log of logs) {
    found.push(...secretsIn(await readFile(path.join(folder, log), "utf8"), log, secrets));
  }
  return { logs: logs.length, found };
}

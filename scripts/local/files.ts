import { chmod, readFile, rename, writeFile } from "node:fs/promises";

/** The content of a JSON file, or null when it is missing or broken off. */
export async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch {
    return null;
  }
}

/** Writes a JSON file that only its owner reads (mode 0600); it appears whole or not at all. */
export async function writeSecretJson(file: string, value: unknown): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await chmod(unfinished, 0o600);
  await rename(unfinished, file);
}

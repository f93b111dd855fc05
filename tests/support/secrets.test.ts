import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { secretsInLogs } from "./secrets.ts";

test("finds a planted secret in each of its guises, and not in the sandbox's log", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "berth-secrets-"));
  const secret = "p@ss/word?1";
  try {
    await mkdir(path.join(folder, "logs"));
    for (const [name, text] of [
      ["clean.log", "nothing to see"],
      ["raw.log", `it says ${secret}.`],
      ["base64.log", `{"a":"${Buffer.from(secret).toString("base64")}"}`],
      ["base64url.log", Buffer.from(secret).toString("base64url")],
      ["url.log", `postgresql://u:${encodeURIComponent(secret)}@h/d`],
      ["sandbox.log", secret],
    ] as const) {
      await writeFile(path.join(folder, "logs", name), text);
    }
    const { logs, found } = await secretsInLogs(folder, new Map([["password", secret]]));
    expect(logs).toBe(5);
    expect(found.sort()).toEqual([
      "password in base64.log",
      "password in base64url.log",
      "password in raw.log",
      "password in url.log",
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

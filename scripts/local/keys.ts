import { randomBytes } from "node:crypto";
import path from "node:path";
import { generateKey } from "#app/domain/vault/index.server.ts";
import { readJson, writeSecretJson } from "./files.ts";

/** The secrets of one local installation, made once. */
export interface LocalKeys {
  encryptionKeys: string;
  appSecret: string;
  sandboxAccessToken: string;
  passwords: { superuser: string; app: string; auth: string; jobs: string };
}

/** A fresh password for a database log-in: 192 random bits that need no encoding in a URL. */
export function newDatabasePassword(): string {
  return randomBytes(24).toString("hex");
}

/** A fresh APP_SECRET of 384 random bits. */
export function newAppSecret(): string {
  return randomBytes(48).toString("base64");
}

/** The keys in the data directory; at the first start they are made. */
export async function localKeys(dataDir: string): Promise<LocalKeys> {
  const file = path.join(dataDir, "keys.json");
  const existing = await readJson<LocalKeys>(file);
  if (existing) return existing;
  const keys: LocalKeys = {
    encryptionKeys: generateKey(new Date()),
    appSecret: newAppSecret(),
    sandboxAccessToken: `sbp_${randomBytes(20).toString("hex")}`,
    passwords: {
      superuser: newDatabasePassword(),
      app: newDatabasePassword(),
      auth: newDatabasePassword(),
      jobs: newDatabasePassword(),
    },
  };
  await writeSecretJson(file, keys);
  return keys;
}

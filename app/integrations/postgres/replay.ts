import { createHash } from "node:crypto";
import type pg from "pg";
import { BerthError } from "#app/platform/errors.ts";
import type { CatalogObject } from "./copy-catalog.ts";
import { type InventoryLine, readInventory } from "./inventory.ts";
import { type ScratchOptions, withScratchDatabase } from "./scratch.ts";
import { redactServerText, rollback, ScriptFailure, sendScript } from "./script.ts";

/** One applied version, as it can be applied again. */
export interface ReplayFile {
  version: string;
  statements: readonly string[];
  transactional: boolean;
}

/** A version cannot be applied once more, so nobody can say what the ledger implies. */
export class NotReplayableError extends BerthError {
  constructor(version: string, found: string, cause?: unknown) {
    super("not_replayable", `Version ${version} cannot be applied to a scratch database.`, {
      found: `version ${version}: ${found}`,
      needed: "statements that a database of the same platform takes once more",
      fix: "Compare the database with its versions by hand.",
      cause,
    });
  }
}

export interface ReplayOptions extends Pick<ScratchOptions, "connect" | "signal"> {
  serverMajor: number;
  /** The platform's part of the customer's catalog. */
  platform: readonly CatalogObject[];
  /** In the order in which they were applied. */
  files: readonly ReplayFile[];
}

/**
 * What the customer's own schemas hold after these versions, on this server and this platform: read
 * in a scratch database to which they were applied.
 *
 * @throws ScratchUnavailableError, NotReplayableError, ConnectionLostError; the signal's reason
 */
export async function replayInventory(options: ReplayOptions): Promise<InventoryLine[]> {
  const { connect, signal, platform, files } = options;
  const inventory = await withScratchDatabase(
    { connect, signal, schemas: "platform", catalog: platform },
    async ({ client }) => {
      await sendScript(client, SETTINGS, { silenceMs: SILENCE_MS });
      for (const file of files) await applyAgain(client, file);
      return readInventory(client);
    },
  );
  const key = keyOf(options);
  known.delete(key);
  known.set(key, inventory);
  const [oldest] = known.keys();
  if (known.size > KNOWN && oldest !== undefined) known.delete(oldest);
  return inventory;
}

/**
 * The same, if this process has replayed equal versions on an equal platform lately, perhaps on
 * another customer's server: good enough to find two databases equal, not to find one wrong.
 */
export function knownInventory(options: ReplayOptions): InventoryLine[] | undefined {
  return known.get(keyOf(options));
}

const SILENCE_MS = 310_000;

/** How many inventories are kept; one of all templates takes some 100 KiB. */
const KNOWN = 32;
const known = new Map<string, InventoryLine[]>();

function keyOf({ serverMajor, platform, files }: ReplayOptions): string {
  const hash = createHash("sha256");
  return hash.update(JSON.stringify([serverMajor, platform, files])).digest("hex");
}

/** As a run's session has them. */
const SETTINGS = [
  "set client_min_messages to warning",
  "set standard_conforming_strings to on",
  `set search_path to "$user", public, extensions`,
];

async function applyAgain(
  client: pg.Client,
  { version, statements, transactional }: ReplayFile,
): Promise<void> {
  const script = transactional ? ["begin", ...statements, "commit"] : [...statements].join("");
  try {
    await sendScript(client, script, { silenceMs: SILENCE_MS });
  } catch (error) {
    if (!(error instanceof ScriptFailure)) throw error;
    await rollback(client);
    const words = redactServerText(error.message, error.sqlstate);
    throw new NotReplayableError(version, `${words} [${error.sqlstate}]`, error);
  }
}

import { createHash } from "node:crypto";
import type pg from "pg";
import type { CatalogObject } from "./copy-catalog.ts";
import { type InventoryLine, readInventory } from "./inventory.ts";
import { isPassing, refusedByServer, type ScratchOptions, withScratchDatabase } from "./scratch.ts";
import { redactServerText, rollback, ScriptFailure, sendScript } from "./script.ts";

/** One applied version, as it can be applied again. */
export interface ReplayFile {
  version: string;
  statements: readonly string[];
  transactional: boolean;
}

/** What came of a replay. */
interface Replay {
  inventory: InventoryLine[];
  /** Versions that could not be applied once more, in words; the rest was. */
  refused: string[];
}

export interface ReplayOptions extends Pick<ScratchOptions, "connect" | "signal" | "log"> {
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
 * @throws ScratchUnavailableError, DatabaseRefusedError, ConnectionLostError; the signal's reason
 */
export async function replayInventory(options: ReplayOptions): Promise<Replay> {
  const { connect, signal, log, platform, files } = options;
  const replay = await withScratchDatabase(
    { connect, signal, log, schemas: "platform", catalog: platform },
    async ({ client }) => {
      await sendScript(client, SETTINGS, { silenceMs: SILENCE_MS });
      const refused: string[] = [];
      for (const file of files) {
        const reason = await applyAgain(client, file);
        if (reason !== null) refused.push(`version ${file.version}: ${reason}`);
      }
      return { refused, inventory: await readInventory(client) };
    },
  ).catch((error: unknown) => {
    throw error instanceof ScriptFailure ? refusedByServer("the comparison", error) : error;
  });
  remember(keyOf(options), replay);
  return replay;
}

/**
 * The same, if this process has replayed equal versions on an equal platform lately, perhaps on
 * another customer's server: good enough to find two databases equal, not to find one wrong.
 */
export function knownReplay(options: ReplayOptions): Replay | undefined {
  return known.get(keyOf(options));
}

/** How many replays are kept, and how large one may be, in characters; all templates make 100,000. */
const KNOWN = 32;
const LARGEST_KNOWN = 1_000_000;
const known = new Map<string, Replay>();

function remember(key: string, replay: Replay): void {
  known.delete(key);
  if (JSON.stringify(replay).length > LARGEST_KNOWN) return;
  known.set(key, replay);
  const [oldest] = known.keys();
  if (known.size > KNOWN && oldest !== undefined) known.delete(oldest);
}

const SILENCE_MS = 310_000;

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

/** Null, or why the database does not take it once more. */
async function applyAgain(
  client: pg.Client,
  { statements, transactional }: ReplayFile,
): Promise<string | null> {
  const script = transactional ? ["begin", ...statements, "commit"] : [...statements].join("");
  try {
    await sendScript(client, script, { silenceMs: SILENCE_MS });
    return null;
  } catch (error) {
    if (!(error instanceof ScriptFailure) || isPassing(error.sqlstate)) throw error;
    await rollback(client);
    return `${redactServerText(error.message, error.sqlstate)} [${error.sqlstate}]`;
  }
}

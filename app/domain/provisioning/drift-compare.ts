import type pg from "pg";
import { ask, type CatalogObject, readCatalog } from "#app/integrations/postgres/copy-catalog.ts";
import {
  type Difference,
  diffInventories,
  type InventoryLine,
  readInventory,
} from "#app/integrations/postgres/inventory.ts";
import { describeNonTransactional } from "#app/integrations/postgres/parse.ts";
import {
  knownReplay,
  type ReplayOptions,
  replayInventory,
} from "#app/integrations/postgres/replay.ts";
import {
  type ScratchOptions,
  ScratchUnavailableError,
} from "#app/integrations/postgres/scratch.ts";
import { dropScratchLeftovers } from "#app/integrations/postgres/scratch-database.ts";
import { literal } from "#app/integrations/postgres/script.ts";
import type { DatabaseSurvey } from "#app/integrations/postgres/survey.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { type KeptStatements, type KeptVersion, replayFiles } from "./drift-ledger.ts";

/** How long one comparison may take, in milliseconds. */
const DEADLINE_MS = 120_000;

/** Beyond these a comparison is not begun. */
const MOST_VERSIONS = 2_000;
const MOST_OBJECTS = 20_000;

/** Longest text of one version that is fetched, in bytes. */
const LONGEST_TEXT = 1_000_000;

export interface CompareOptions extends Pick<ScratchOptions, "connect" | "signal" | "log"> {
  survey: DatabaseSurvey;
  catalog: Catalog;
}

/** What a comparison needs to know of a customer's database. */
export interface DatabaseState {
  kept: KeptStatements;
  /** Versions of steps that ended half way, outside a transaction. */
  unfinished: string[];
  /** How many objects the database has that are not PostgreSQL's own. */
  objects: number;
  /** Empty where there are too many objects to compare, as is `found`. */
  platform: CatalogObject[];
  found: InventoryLine[];
}

/** Why a catalog was not compared, or not with all versions. */
export interface Obstacle {
  /** In words. */
  reason: string;
  /** A line of the difference. */
  line: string;
  /** Only some versions were left out; all else was compared. */
  isPartial: boolean;
  /** A supervisor must accept it: the server would have allowed the comparison. */
  stops: boolean;
}

/** What came of a comparison of catalogs. */
interface Comparison {
  differences: Difference[];
  obstacle: Obstacle | null;
  /** What the catalog is, for a hash, where it was not compared. */
  uncompared: string;
}

/**
 * Reads it, and drops what killed comparisons have left. `wanted`: versions whose text is fetched.
 * @throws ScriptFailure, ConnectionLostError
 */
export async function readDatabase(
  client: pg.Client,
  wanted: readonly string[],
): Promise<DatabaseState> {
  await dropScratchLeftovers(client);
  const [has] = await ask<{ kept: boolean; unfinished: boolean }>(
    client,
    `select pg_catalog.to_regclass('supabase_migrations.schema_migrations') is not null as kept,
       pg_catalog.to_regclass('berth.unfinished') is not null as unfinished`,
  );
  const list = `array[${wanted.slice(0, MOST_VERSIONS).map(literal).join(", ")}]::pg_catalog.text[]`;
  const kept = has?.kept
    ? await ask<{ version: string } & KeptVersion>(
        client,
        `select version, case when pg_catalog.octet_length(text::pg_catalog.text) <= ${LONGEST_TEXT}
             then text end as statements,
           pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(text::pg_catalog.text, 'UTF8')), 'hex') as hash
         from (select version, case when version = any (${list})
             then nullif(pg_catalog.to_jsonb(s) -> 'statements', 'null') end as text
           from supabase_migrations.schema_migrations s) s`,
      )
    : [];
  const unfinished = has?.unfinished
    ? await ask<{ version: string }>(client, "select version from berth.unfinished")
    : [];
  // 16384 is the first number that PostgreSQL gives to what it did not bring along itself.
  const [count] = await ask<{ objects: number }>(
    client,
    `select ${["class", "proc", "type", "constraint", "policy", "trigger"]
      .map((kind) => `(select count(*) from pg_catalog.pg_${kind} where oid >= 16384)`)
      .join(" + ")} as objects`,
  );
  const objects = Number(count?.objects ?? 0);
  const isReadable = objects <= MOST_OBJECTS;
  return {
    kept: new Map(kept.map(({ version, ...rest }) => [version, rest])),
    unfinished: unfinished.map(({ version }) => version),
    objects,
    platform: isReadable ? await readCatalog(client, "platform") : [],
    found: isReadable ? await readInventory(client) : [],
  };
}

/**
 * How the customer's own schemas differ from what the ledger's versions make; or, as `obstacle`, why
 * that cannot be said, or with which versions left out it is said. `deadlineMs`: of all of it.
 * @throws ConnectionLostError, DatabaseRefusedError; what `connect` throws; the signal's reason
 */
export async function compareCatalogs(
  options: CompareOptions,
  state: DatabaseState,
  deadlineMs: number = DEADLINE_MS,
): Promise<Comparison> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const without = (reason: string, stops: boolean): Comparison => ({
    differences: [],
    obstacle: {
      reason,
      line: `the catalog was not compared: ${reason}`,
      isPartial: false,
      stops,
    },
    uncompared: JSON.stringify([state.objects, state.found]),
  });
  const beyond = beyondBounds(options.survey, state);
  if (beyond !== null) return without(beyond, true);
  const signal = AbortSignal.any([options.signal, deadline]);
  try {
    return await compareWithReplay({ ...options, signal }, state);
  } catch (error) {
    if (deadline.aborted && !options.signal.aborted) {
      return without(`it took longer than ${deadlineMs / 1_000} seconds`, true);
    }
    if (error instanceof ScratchUnavailableError) {
      return without(error.found ?? error.message, false);
    }
    throw error;
  }
}

function beyondBounds({ ledger }: DatabaseSurvey, { objects }: DatabaseState): string | null {
  if (ledger.length > MOST_VERSIONS) {
    return `the ledger has ${ledger.length} versions, of which Berth compares at most ${MOST_VERSIONS}`;
  }
  return objects > MOST_OBJECTS
    ? `the database has ${objects} objects, of which Berth compares at most ${MOST_OBJECTS}`
    : null;
}

async function compareWithReplay(
  { survey, catalog, connect, signal, log }: CompareOptions,
  { kept, unfinished, platform, found }: DatabaseState,
): Promise<Comparison> {
  const { files, refused } = await replayFiles(survey.ledger, kept, catalog);
  const replay = { connect, signal, log, serverMajor: survey.serverMajor, platform, files };
  const isOurs = await leftoversOf(unfinished, catalog);
  const settled = found.filter((line) => !isOurs(line));
  const compared = await differencesTo(settled, isOurs, replay);
  const leftOut = [...refused, ...compared.refused];
  const reason = leftOut.join("; ");
  const line = `the catalog was compared without ${reason}`;
  return {
    differences: compared.differences,
    obstacle: leftOut.length > 0 ? { reason, line, isPartial: true, stops: false } : null,
    uncompared: "",
  };
}

async function differencesTo(
  found: InventoryLine[],
  isOurs: (line: InventoryLine) => boolean,
  replay: ReplayOptions,
): Promise<{ differences: Difference[]; refused: string[] }> {
  const compare = (lines: InventoryLine[]) =>
    diffInventories(
      lines.filter((line) => !isOurs(line)),
      found,
    );
  const known = knownReplay(replay);
  if (known && compare(known.inventory).length === 0) {
    return { differences: [], refused: known.refused };
  }
  const { inventory: expected, refused } = await replayInventory(replay);
  const differences = compare(expected);
  if (grantsIn(differences) === 0) return { differences, refused };
  const older = { ...replay, platform: [...replay.platform, OLDER_GRANTS] };
  const { inventory: broad } = knownReplay(older) ?? (await replayInventory(older));
  const isGrant = ({ kind }: InventoryLine) => kind === "grant";
  const asOlder = compare([...expected.filter((line) => !isGrant(line)), ...broad.filter(isGrant)]);
  // One answer for the whole database: it is an older project's where that explains more.
  return {
    differences: grantsIn(asOlder) < grantsIn(differences) ? asOlder : differences,
    refused,
  };
}

const grantsIn = (differences: Difference[]) =>
  differences.filter(({ kind, implied }) => kind === "grant" && !implied).length;

/**
 * What projects made before 30 October 2026 granted by default. What was created then keeps it,
 * where the version takes nothing away, although the defaults have changed since.
 */
const OLDER_GRANTS: CatalogObject = {
  what: "the default privileges of older projects",
  ddl: ["tables", "sequences", "routines"]
    .map(
      (kind) =>
        `alter default privileges in schema public grant all on ${kind} to anon, authenticated, service_role`,
    )
    .join("; "),
};

/** Tells the indexes that a step without a transaction may have made, dropped or left behind. */
async function leftoversOf(
  unfinished: readonly string[],
  catalog: Catalog,
): Promise<(line: InventoryLine) => boolean> {
  const files = catalog.templates
    .flatMap(({ migrations }) => migrations)
    .filter(({ version, transactional }) => !transactional && unfinished.includes(version));
  const targets = await Promise.all(
    files.map(({ sql, path }) => describeNonTransactional(sql, path)),
  );
  const names = targets.flatMap((target) =>
    target?.kind === "create_index" || target?.kind === "drop_index" ? [target.index] : [],
  );
  const reindexing = targets.some((target) => target?.kind === "reindex");
  return ({ kind, name }) =>
    kind === "index" &&
    (names.some((index) => name.endsWith(`.${index}`)) ||
      (reindexing && /_cc(new|old)[0-9]*$/.test(name)));
}

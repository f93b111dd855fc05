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
  knownInventory,
  NotReplayableError,
  type ReplayOptions,
  replayInventory,
} from "#app/integrations/postgres/replay.ts";
import {
  dropScratchLeftovers,
  type ScratchOptions,
  ScratchUnavailableError,
} from "#app/integrations/postgres/scratch.ts";
import { literal } from "#app/integrations/postgres/script.ts";
import type { DatabaseSurvey } from "#app/integrations/postgres/survey.ts";
import type { Catalog } from "../catalog/index.server.ts";
import { type KeptStatements, replayFiles } from "./drift-ledger.ts";

export interface CompareOptions extends Pick<ScratchOptions, "connect" | "signal"> {
  survey: DatabaseSurvey;
  catalog: Catalog;
}

/** What a comparison needs to know of a customer's database. */
export interface DatabaseState {
  kept: KeptStatements;
  /** Versions of steps that ended half way, outside a transaction. */
  unfinished: string[];
  platform: CatalogObject[];
  found: InventoryLine[];
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
  const list = `array[${wanted.map(literal).join(", ")}]::pg_catalog.text[]`;
  const kept = has?.kept
    ? await ask<{ version: string; statements: string[] | null }>(
        client,
        `select version, case when version = any (${list})
           then nullif(pg_catalog.to_jsonb(s) -> 'statements', 'null') end as statements
         from supabase_migrations.schema_migrations s`,
      )
    : [];
  const unfinished = has?.unfinished
    ? await ask<{ version: string }>(client, "select version from berth.unfinished")
    : [];
  return {
    kept: new Map(kept.map(({ version, statements }) => [version, statements])),
    unfinished: unfinished.map(({ version }) => version),
    platform: await readCatalog(client, "platform"),
    found: await readInventory(client),
  };
}

/**
 * How the customer's own schemas differ from what the ledger's versions make; or, as `obstacle`, why
 * that cannot be said.
 * @throws ConnectionLostError; the signal's reason
 */
export async function compareCatalogs(
  options: CompareOptions,
  { kept, unfinished, platform, found }: DatabaseState,
): Promise<{ differences: Difference[]; obstacle: string | null }> {
  const { survey, catalog, connect, signal } = options;
  try {
    const files = await replayFiles(survey.ledger, kept, catalog);
    const replay = { connect, signal, serverMajor: survey.serverMajor, platform, files };
    const isOurs = await leftoversOf(unfinished, catalog);
    const settled = found.filter((line) => !isOurs(line));
    return { differences: await differencesTo(settled, isOurs, replay), obstacle: null };
  } catch (error) {
    if (error instanceof ScratchUnavailableError || error instanceof NotReplayableError) {
      return { differences: [], obstacle: error.found ?? error.message };
    }
    throw error;
  }
}

async function differencesTo(
  found: InventoryLine[],
  isOurs: (line: InventoryLine) => boolean,
  replay: ReplayOptions,
): Promise<Difference[]> {
  const compare = (lines: InventoryLine[]) =>
    diffInventories(
      lines.filter((line) => !isOurs(line)),
      found,
    );
  const known = knownInventory(replay);
  if (known && compare(known).length === 0) return [];
  const expected = await replayInventory(replay);
  const differences = compare(expected);
  if (!differences.some(({ kind, implied }) => kind === "grant" && !implied)) return differences;
  const older = { ...replay, platform: [...replay.platform, OLDER_GRANTS] };
  const broad = knownInventory(older) ?? (await replayInventory(older));
  return compare(allowingGrants(expected, broad, found));
}

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

/** The expected lines, with a grant as older projects have it wherever that is what was found. */
function allowingGrants(
  expected: InventoryLine[],
  broad: InventoryLine[],
  found: InventoryLine[],
): InventoryLine[] {
  const grants = new Map(
    broad.filter(({ kind }) => kind === "grant").map((line) => [line.name, line]),
  );
  const allowed = new Map(
    found
      .filter(
        (line) => line.kind === "grant" && grants.get(line.name)?.definition === line.definition,
      )
      .map((line) => [line.name, line]),
  );
  return [
    ...expected.filter(({ kind, name }) => kind !== "grant" || !allowed.has(name)),
    ...allowed.values(),
  ];
}

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

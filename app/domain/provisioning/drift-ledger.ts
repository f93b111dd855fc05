import { type LedgerRow, SEED_KEY } from "#app/integrations/postgres/ledger.ts";
import { parseMigration } from "#app/integrations/postgres/parse.ts";
import type { ReplayFile } from "#app/integrations/postgres/replay.ts";
import { ForbiddenStatementError, SqlSyntaxError } from "#app/integrations/postgres/sql-errors.ts";
import type { Catalog, Template, TemplateFile } from "../catalog/index.server.ts";

/** What Supabase's half of the ledger keeps of one version. */
export interface KeptVersion {
  /** Null where it has none, or where they were not asked for. */
  statements: readonly string[] | null;
  /** SHA-256 of the statements, in hex; null where it has none, or where they were not asked for. */
  hash: string | null;
}
export type KeptStatements = ReadonlyMap<string, KeptVersion>;

/** A line of the ledger that contradicts the templates, or the ledger's other half. */
interface LedgerDifference {
  /** In words. */
  text: string;
  /** The same to the last letter, contents included, for a hash. */
  exact: string;
}

const isSeed = ({ version }: LedgerRow) => version.startsWith(SEED_KEY);

/** The migration of this version, in whatever release of its template is here. */
function migrationOf(catalog: Catalog, version: string): TemplateFile | undefined {
  return catalog.templates
    .flatMap(({ migrations }) => migrations)
    .find((file) => file.version === version);
}

/** In what the ledger itself contradicts the templates, or one of its halves the other. */
export function ledgerDifferences(
  ledger: readonly LedgerRow[],
  kept: KeptStatements,
  catalog: Catalog,
): LedgerDifference[] {
  return ledger.flatMap((row) => {
    const hash = kept.get(row.version)?.hash ?? null;
    const texts = isSeed(row)
      ? seedDifference(row, catalog)
      : versionDifferences(row, kept.has(row.version), hash, catalog);
    return texts.map((text) => ({ text, exact: JSON.stringify([text, row.checksum, hash]) }));
  });
}

function versionDifferences(
  row: LedgerRow,
  supabases: boolean,
  hash: string | null,
  catalog: Catalog,
): string[] {
  const file = migrationOf(catalog, row.version);
  const lines: string[] = [];
  const name = row.name ? ` (${row.name})` : "";
  if (!file) {
    const where = supabases
      ? row.checksum === null
        ? ", and only Supabase's own ledger lists it"
        : ""
      : ", and only berth.ledger lists it";
    const content = hash === null ? "" : `; SHA-256 of its statements ${hash.slice(0, 12)}…`;
    return [`version ${row.version}${name}: no template has it${where}${content}`];
  }
  if (row.checksum === null) {
    lines.push(
      `version ${row.version}: only Supabase's own ledger lists it, berth.ledger does not`,
    );
  } else if (!supabases) {
    lines.push(
      `version ${row.version}: only berth.ledger lists it, Supabase's own ledger does not`,
    );
  }
  if (row.checksum !== null && row.checksum !== file.checksum) {
    lines.push(`version ${row.version}: ${otherChecksum(row.checksum, file)}`);
  }
  return lines;
}

/** A released seed may change with its template's version: it runs again. */
function seedDifference(row: LedgerRow, catalog: Catalog): string[] {
  const name = row.version.slice(SEED_KEY.length);
  const template: Template | undefined = catalog.templates.find((one) => one.name === name);
  if (!template?.seed) return [`the seed data of ${name}: no template has it`];
  const isEdited =
    row.templateVersion === template.version && row.checksum !== template.seed.checksum;
  return isEdited
    ? [`the seed data of ${name}: ${otherChecksum(row.checksum ?? "", template.seed)}`]
    : [];
}

const otherChecksum = (applied: string, { path, checksum }: TemplateFile) =>
  `applied with the checksum ${applied.slice(0, 12)}…, but ${path} has ${checksum.slice(0, 12)}…`;

/** Versions whose text must come from the ledger, since no template has it as it was applied. */
export function versionsToFetch(ledger: readonly LedgerRow[], catalog: Catalog): string[] {
  return ledger
    .filter((row) => !isSeed(row) && asApplied(row, catalog) === null)
    .map(({ version }) => version);
}

function asApplied(row: LedgerRow, catalog: Catalog): TemplateFile | null {
  const file = migrationOf(catalog, row.version);
  return file && file.checksum === row.checksum ? file : null;
}

/**
 * The applied versions as they can be applied again: from the templates where they are the same,
 * else from the statements that Supabase's ledger keeps. Seeds make rows alone, and are left out.
 * Versions that only that ledger knows carry no time: they come last, as they do where somebody
 * pushed one by hand.
 *
 * @returns as `refused`, in words, the versions whose text is lost or reaches beyond its database
 */
export async function replayFiles(
  ledger: readonly LedgerRow[],
  kept: KeptStatements,
  catalog: Catalog,
): Promise<{ files: ReplayFile[]; refused: string[] }> {
  const rows = ledger.filter((row) => !isSeed(row));
  const inOrder = [
    ...rows.filter(({ appliedAt }) => appliedAt !== null),
    ...rows.filter(({ appliedAt }) => appliedAt === null),
  ];
  const files: ReplayFile[] = [];
  const refused: string[] = [];
  for (const row of inOrder) {
    const file = asApplied(row, catalog);
    const { version } = row;
    if (file) {
      const { transactional, statements } = file;
      files.push({ version, transactional, statements: statements.map(({ sql }) => sql) });
      continue;
    }
    const read = await fromKept(version, kept.get(version)?.statements ?? null);
    if (typeof read === "string") refused.push(read);
    else files.push(read);
  }
  return { files, refused };
}

/**
 * Text from the ledger passes the same wall as a template: replaying it must reach nothing else.
 * Where it does not pass, the reason in words.
 */
async function fromKept(
  version: string,
  texts: readonly string[] | null,
): Promise<ReplayFile | string> {
  if (!texts || texts.length === 0) {
    return `version ${version}: the ledger does not keep its statements`;
  }
  const sql = texts.join("\n;\n");
  const read = async (transactional: boolean) => {
    const options = { file: `version ${version}`, transactional };
    const { statements } = await parseMigration(sql, options);
    return { version, transactional, statements: statements.map((each) => each.sql) };
  };
  try {
    return await read(true).catch((error) => {
      if (texts.length > 1) throw error;
      return read(false).catch(() => Promise.reject(error));
    });
  } catch (error) {
    if (error instanceof ForbiddenStatementError || error instanceof SqlSyntaxError) {
      return error.message;
    }
    throw error;
  }
}

import type { Catalog, Template } from "#app/domain/catalog/index.server.ts";
import type { TemplateFile } from "#app/domain/catalog/template-file.ts";
import { type Finding, finding } from "./findings.ts";

/** Tables of Supabase's on which a template may have triggers or policies. */
const PLATFORM_TABLES = ["auth.users", "storage.buckets", "storage.objects", "realtime.messages"];

/**
 * The tables that may hold rows when a file runs: the platform's, those of every template beneath or
 * beside it, and those of its own template's releases that came before it.
 */
export function standingTables(
  catalog: Catalog,
  template: Template,
  { version, when }: Pick<TemplateFile, "version" | "when">,
): Set<string> {
  const names = [template.name, ...template.optional.map(({ name }) => name)];
  const others = catalog
    .order(when ? [...names, when] : names)
    .filter(({ name }) => name !== template.name);
  const earlier = catalog
    .history(template.name)
    .releases.filter(({ migrations }) => migrations.every((file) => file.version !== version));
  const files = [...others, ...earlier].flatMap(({ migrations }) => migrations);
  return new Set([...PLATFORM_TABLES, ...files.flatMap(({ effects }) => effects.creates)]);
}

/**
 * Others queue behind each ACCESS EXCLUSIVE lock; with two in one transaction, whoever takes them in
 * the other order deadlocks. A rewrite closes a table for as long as it is large.
 */
export function lockFindings(
  catalog: Catalog,
  template: Template,
  files: readonly TemplateFile[],
): Finding[] {
  return files.flatMap((file) => {
    const { path, effects } = file;
    const standing = standingTables(catalog, template, file);
    const closed = effects.locks.filter(
      ({ mode, relation }) => mode === "ACCESS EXCLUSIVE" && standing.has(relation),
    );
    const second = closed.sort((a, b) => a.line - b.line)[1];
    return [
      ...(second
        ? [
            finding({
              rule: "closes_two_tables",
              file: path,
              line: second.line,
              what: `the file closes ${closed.map(({ relation }) => relation).join(" and ")}`,
              why: "they may hold rows already, and others who lock them in another order deadlock",
              fix: "Give each table a file of its own.",
            }),
          ]
        : []),
      ...effects.rewrites
        .filter(({ relation }) => standing.has(relation))
        .map(({ relation, line, why }) =>
          finding({
            rule: "rewrites_table",
            file: path,
            line,
            what: `${relation} is written anew (${why})`,
            why: "it is closed to everyone for as long as that takes, which grows with its rows",
            fix: "Add a column with a constant default instead, and carry the rows over in steps.",
          }),
        ),
    ];
  });
}

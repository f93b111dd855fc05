import type { Catalog, Template } from "#app/domain/catalog/index.server.ts";
import type { TemplateFile } from "#app/domain/catalog/template-file.ts";
import { splitStatements } from "#app/integrations/postgres/parse.ts";
import { names, nodeOf, type SyntaxTree } from "#app/integrations/postgres/syntax-tree.ts";
import { codeOf } from "./code.ts";
import { type Finding, finding } from "./findings.ts";

/** Which template makes a relation, function or type: `schema.name` → the template's name. */
export type Owners = ReadonlyMap<string, string>;

/** Whoever comes first in the order of a run is the maker; the others may only change it. */
export async function ownersOf(catalog: Catalog): Promise<Owners> {
  const owners = new Map<string, string>();
  const own = (name: string, template: string) => {
    if (!owners.has(name)) owners.set(name, template);
  };
  for (const template of catalog.order(catalog.templates.map(({ name }) => name))) {
    for (const file of template.migrations) {
      for (const relation of file.effects.creates) own(relation, template.name);
      for (const { tree } of await splitStatements(file.sql, file.path)) {
        const made = madeBy(tree);
        if (made) own(made, template.name);
      }
    }
  }
  return owners;
}

/** The function or type that a statement makes. */
function madeBy(tree: SyntaxTree): string | null {
  const { name, node } = nodeOf(tree);
  const key = { CreateFunctionStmt: "funcname", CreateEnumStmt: "typeName" }[name];
  const list = key ?? { CreateDomainStmt: "domainname", CreateRangeStmt: "typeName" }[name];
  if (list === undefined) return null;
  const parts = names(node[list]);
  return `${parts.at(-2) ?? "public"}.${parts.at(-1)}`;
}

/**
 * A file names what its own template makes, what that one requires, and what its `when` names: the
 * rest may not be there. What only runs later, as text, asks with to_regclass() first.
 */
export function nameFindings(
  catalog: Catalog,
  template: Template,
  files: readonly TemplateFile[],
  owners: Owners,
): Finding[] {
  return files.flatMap((file) => {
    const there = new Set(
      catalog.order([template.name, ...(file.when ? [file.when] : [])]).map(({ name }) => name),
    );
    return [...namedIn(file, owners)].flatMap(([named, line]) => {
      const owner = owners.get(named) as string;
      if (there.has(owner)) return [];
      return finding({
        rule: "name_of_other_template",
        file: file.path,
        line,
        what: `${named} belongs to ${owner}`,
        why: `${template.name} does not require it, so it may not be there`,
        fix: `Add ${owner} to requires, or move this into a file with \`-- berth: when=${owner}\`.`,
      });
    });
  });
}

/** What of the templates' a file names, with the line of the first mention. */
function namedIn({ statements, effects }: TemplateFile, owners: Owners): Map<string, number> {
  const named = new Map<string, number>();
  const note = (name: string, line: number) => {
    if (owners.has(name) && !named.has(name)) named.set(name, line);
  };
  for (const { tokens, lineOf } of statements.flatMap(codeOf)) {
    for (const [index, token] of tokens.entries()) {
      const [dot, name] = [tokens[index + 1], tokens[index + 2]];
      if (dot?.text !== "." || !name || token.kind === "string") continue;
      note(`${token.text}.${name.text}`, lineOf(token));
    }
  }
  // Names without a schema are of public, or of the file's search_path.
  for (const { relation, line } of effects.locks) note(relation, line);
  return named;
}

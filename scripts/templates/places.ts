import type { Template } from "#app/domain/catalog/index.server.ts";
import { splitStatements } from "#app/integrations/postgres/parse.ts";
import { names, nodeOf, type SyntaxTree } from "#app/integrations/postgres/syntax-tree.ts";

/** Where a template makes something. */
export interface Place {
  file: string;
  line: number;
}

/** Where an object of a database was made, as PostgreSQL writes its name; null where nobody knows. */
export type PlaceOf = (object: string) => Place | null;

/** The statements that make the objects of these templates. */
export async function placesOf(templates: readonly Template[]): Promise<PlaceOf> {
  const places = new Map<string, Place>();
  for (const { migrations } of templates) {
    for (const { sql, path: file } of migrations) {
      for (const { tree, line } of await splitStatements(sql, file)) {
        const made = madeBy(tree);
        if (made !== null && !places.has(made)) places.set(made, { file, line });
      }
    }
  }
  return (object) => {
    // Arguments of a function, the privilege after a table's name, the quotes.
    const name = object.replace(/[( ].*$/, "").replaceAll('"', "");
    const parts = name.split(".");
    for (let length = parts.length; length > 0; length -= 1) {
      const known = parts.slice(0, length).join(".");
      const place = places.get(known) ?? places.get(`public.${known}`);
      if (place) return place;
    }
    return null;
  };
}

interface Named {
  schemaname?: string;
  relname?: string;
}

/** `schema.name`, or `schema.table.name` for what belongs to a table. */
function madeBy(tree: SyntaxTree): string | null {
  const { name, node } = nodeOf(tree);
  const of = ({ schemaname = "public", relname = "" }: Named = {}) => `${schemaname}.${relname}`;
  const list = (value: unknown) => {
    const parts = names(value);
    return `${parts.at(-2) ?? "public"}.${parts.at(-1)}`;
  };
  switch (name) {
    case "CreateStmt":
      return of(node.relation as Named);
    case "ViewStmt":
      return of(node.view as Named);
    case "CreateTableAsStmt":
      return of((node.into as { rel?: Named } | undefined)?.rel);
    case "CreateSeqStmt":
      return of(node.sequence as Named);
    case "IndexStmt":
      return `${(node.relation as Named).schemaname ?? "public"}.${node.idxname ?? ""}`;
    case "CreatePolicyStmt":
      return `${of(node.table as Named)}.${node.policy_name ?? ""}`;
    case "CreateFunctionStmt":
      return list(node.funcname);
    case "CreateExtensionStmt":
      return `public.${node.extname ?? ""}`;
    default:
      return null;
  }
}

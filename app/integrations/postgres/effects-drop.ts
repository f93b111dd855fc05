import { type EffectsGatherer, partsOf } from "./effects-file.ts";
import type { SyntaxTree } from "./syntax-tree.ts";

/** The parser's names for what stands beside tables, and may be locked like them. */
export const RELATIONS: ReadonlySet<string> = new Set([
  "OBJECT_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_FOREIGN_TABLE",
]);

/** What carries its table's name before its own. */
export const CHILDREN: ReadonlySet<string> = new Set([
  "OBJECT_TRIGGER",
  "OBJECT_POLICY",
  "OBJECT_RULE",
]);

/** DROP of anything. What depends on a type, function, schema and the like is locked first, whatever follows. */
export function drop(effects: EffectsGatherer, node: SyntaxTree): void {
  const type = String(node.removeType);
  for (const object of (node.objects ?? []) as SyntaxTree[]) {
    const parts = partsOf(object);
    if (RELATIONS.has(type)) effects.lock(effects.rangeOf(parts), "ACCESS EXCLUSIVE");
    if (type === "OBJECT_TABLE") effects.lockLinked(effects.rangeOf(parts), "ACCESS EXCLUSIVE");
    if (CHILDREN.has(type)) effects.lock(effects.rangeOf(parts.slice(0, -1)), "ACCESS EXCLUSIVE");
    if (type === "OBJECT_INDEX") {
      const mode = node.concurrent ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
      effects.lockTableOf(effects.rangeOf(parts), mode);
    }
  }
  const isTold = RELATIONS.has(type) || CHILDREN.has(type) || TOLD.has(type);
  const cascades = node.behavior === "DROP_CASCADE";
  if (cascades) effects.unseen(`DROP ${inWords(type)} … CASCADE`);
  else if (!isTold) effects.unseen(`DROP ${inWords(type)}`);
}

/** Further objects, of which the text tells what goes with them. */
const TOLD = new Set(["OBJECT_INDEX", "OBJECT_PUBLICATION"]);

const inWords = (type: string) =>
  type
    .replace("OBJECT_", "")
    .replace("MATVIEW", "MATERIALIZED VIEW")
    .replace("STATISTIC_EXT", "STATISTICS")
    .replaceAll("_", " ");

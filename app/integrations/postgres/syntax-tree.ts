/** A node as PostgreSQL's parser writes it: `{ SelectStmt: { … } }`, or a part of one. */
export type SyntaxTree = Record<string, unknown>;

/** The name and content of a wrapped node. */
export function nodeOf(tree: SyntaxTree): { name: string; node: SyntaxTree } {
  const [name = "", node = {}] = Object.entries(tree)[0] ?? [];
  return { name, node: node as SyntaxTree };
}

/**
 * Every object within a tree with the key it stands under, outermost first. A stack instead of
 * recursion: a long chain of operators nests deeper than JavaScript's calls may.
 */
export function* walk(root: SyntaxTree): Generator<{ key: string; node: SyntaxTree }> {
  const stack: { key: string; value: unknown }[] = [{ key: "", value: root }];
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { key, value } = top;
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i -= 1) stack.push({ key, value: value[i] });
    } else if (value !== null && typeof value === "object") {
      const node = value as SyntaxTree;
      yield { key, node };
      const entries = Object.entries(node);
      for (let i = entries.length - 1; i >= 0; i -= 1) {
        const [name, child] = entries[i] as [string, unknown];
        stack.push({ key: name, value: child });
      }
    }
  }
}

/** Whether an option in parentheses is on, as `(FULL)`, `(FULL true)` or `(FULL 1)`; the last one counts. */
export function isOptionOn(options: unknown, name: string): boolean {
  const elements = (options ?? []) as { DefElem?: { defname?: string; arg?: SyntaxTree } }[];
  const last = elements.findLast(({ DefElem }) => DefElem?.defname === name)?.DefElem;
  if (!last?.arg) return last !== undefined;
  const { name: kind, node } = nodeOf(last.arg);
  if (kind === "Integer") return Number(node.ival ?? 0) !== 0;
  return !/^(false|off)$/i.test(String(node.sval ?? node.boolval ?? ""));
}

/** The strings of a list of `{String: {sval}}` nodes, as in a qualified name. */
export function names(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: SyntaxTree) => {
    const text = (item.String as { sval?: string } | undefined)?.sval;
    return text === undefined ? [] : [text];
  });
}

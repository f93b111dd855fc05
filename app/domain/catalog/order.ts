import { TemplateCycleError, UnknownTemplateError } from "./errors.ts";
import { baseTemplate } from "./schema.ts";

interface Node {
  name: string;
  requires: { name: string }[];
}

/**
 * The named templates with everything they require, each after what it requires and `base` first.
 * The answer does not depend on the order of the names.
 *
 * @throws UnknownTemplateError, TemplateCycleError.
 */
export function orderTemplates<T extends Node>(all: readonly T[], names: readonly string[]): T[] {
  const byName = new Map(all.map((template) => [template.name, template]));
  const ordered = new Set<T>();
  const path: string[] = [];

  const visit = (name: string) => {
    const template = byName.get(name);
    if (!template) throw new UnknownTemplateError(name, [...byName.keys()].sort());
    if (ordered.has(template)) return;
    if (path.includes(name))
      throw new TemplateCycleError([...path.slice(path.indexOf(name)), name]);
    path.push(name);
    for (const required of template.requires.map((r) => r.name).sort()) visit(required);
    path.pop();
    ordered.add(template);
  };

  for (const name of [baseTemplate, ...[...names].sort()]) visit(name);
  return [...ordered];
}

import { TemplateCycleError, UnknownTemplateError } from "./errors.ts";
import { baseTemplate } from "./schema.ts";

interface Node {
  name: string;
  requires: { name: string }[];
  optional: { name: string }[];
}

/**
 * The named templates with everything they require, each after what it requires or makes use of, and
 * `base` first. The answer does not depend on the order of the names.
 *
 * @throws UnknownTemplateError, TemplateCycleError.
 */
export function orderTemplates<T extends Node>(all: readonly T[], names: readonly string[]): T[] {
  const byName = new Map(all.map((template) => [template.name, template]));
  const get = (name: string) => {
    const template = byName.get(name);
    if (!template) throw new UnknownTemplateError(name, [...byName.keys()].sort());
    return template;
  };
  const wanted = new Set<string>();
  const want = (name: string) => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const required of get(name).requires) want(required.name);
  };
  const first = [baseTemplate, ...[...names].sort()];
  for (const name of first) want(name);

  const ordered = new Set<T>();
  const path: string[] = [];
  const visit = (name: string) => {
    const template = get(name);
    if (ordered.has(template)) return;
    if (path.includes(name))
      throw new TemplateCycleError([...path.slice(path.indexOf(name)), name]);
    path.push(name);
    const used = template.optional.filter((one) => wanted.has(one.name));
    for (const before of [...template.requires, ...used].map((one) => one.name).sort()) {
      visit(before);
    }
    path.pop();
    ordered.add(template);
  };
  for (const name of first) visit(name);
  return [...ordered];
}

import type { Template } from "./read.ts";
import type { TemplateFile } from "./template-file.ts";

/** A template's migrations beside these templates: what serves one that is not there is left out. */
export function filesFor(
  { migrations }: Pick<Template, "migrations">,
  beside: readonly { name: string }[],
): TemplateFile[] {
  return migrations.filter(
    ({ when }) => when === null || beside.some((template) => template.name === when),
  );
}

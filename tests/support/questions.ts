import type { Catalog, Parameter, Template } from "#app/domain/catalog/index.server.ts";

/** A catalogue whose templates ask this, and nothing else. */
export function askingOnly(catalog: Catalog, questions: Record<string, Parameter[]>): Catalog {
  return changed(catalog, (template) => ({
    ...template,
    parameters: questions[template.name] ?? [],
  }));
}

/** A catalogue with each template changed like this. */
export function changed(catalog: Catalog, change: (template: Template) => Template): Catalog {
  return {
    ...catalog,
    templates: catalog.templates.map(change),
    get: (name) => change(catalog.get(name)),
    order: (names) => catalog.order(names).map(change),
  };
}

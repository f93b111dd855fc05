import type { STEP_KINDS } from "#db/provisioning.ts";
import type { Catalog, Template, TemplateFile } from "../catalog/index.server.ts";

/** One step of a run, as it is planned. */
export interface PlannedStep {
  name: string;
  kind: (typeof STEP_KINDS)[number];
  template?: string;
  file?: string;
  ledgerVersion?: string;
  checksum?: string;
}

/**
 * The steps that build a backend with these features, in order: preflight, base schema, features
 * after what they need, auth configuration, row-level-security policies, seed data, owner, health.
 * @throws UnknownTemplateError
 */
export function planRun(
  catalog: Catalog,
  features: readonly string[],
): { templates: Record<string, string>; steps: PlannedStep[] } {
  const ordered = catalog.order([...features]);
  const files = (phase: "schema" | "policies") =>
    ordered.flatMap((template) =>
      template.migrations
        .filter((file) => file.phase === phase)
        .map((file) => fileStep(template, file, "sql")),
    );
  return {
    templates: Object.fromEntries(ordered.map(({ name, version }) => [name, version])),
    steps: [
      { name: "Preflight", kind: "preflight" },
      ...files("schema"),
      { name: "Auth configuration", kind: "auth-config" },
      ...files("policies"),
      ...ordered.flatMap((template) =>
        template.seed ? [fileStep(template, template.seed, "seed")] : [],
      ),
      { name: "Owner account", kind: "owner" },
      { name: "Health check", kind: "health" },
    ],
  };
}

function fileStep(template: Template, file: TemplateFile, kind: "sql" | "seed"): PlannedStep {
  const what = kind === "seed" ? "seed data" : file.name.replaceAll("_", " ");
  const { title } = template;
  return {
    // A file may go by its template's own name.
    name: what === title.toLowerCase() ? title : `${title}: ${what}`,
    kind,
    template: template.name,
    file: file.path,
    ledgerVersion: file.version,
    checksum: file.checksum,
  };
}

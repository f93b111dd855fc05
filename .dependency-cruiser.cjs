/**
 * Imports run one way (docs: README, "Finding your way"):
 *   routes → web → domain → integrations → platform → db (types)
 *   worker ──────→ domain
 * A domain module imports only modules that stand above it in `domainOrder`.
 */
const domainOrder = [
  "audit",
  "identity",
  "vault",
  "notifications",
  "sla",
  "catalog",
  "queue",
  "backends",
  "provisioning",
  "onboarding",
  "staff",
  "reports",
  "fleet",
];

const domainRules = domainOrder.flatMap((name, index) => {
  const below = domainOrder.slice(index + 1);
  if (below.length === 0) return [];
  return [
    {
      name: `domain-${name}-imports-only-above`,
      comment: `domain/${name} may import only modules above it; upwards goes a job or an event.`,
      severity: "error",
      from: { path: `^app/domain/${name}/`, pathNot: "\\.test\\.tsx?$" },
      to: { path: `^app/domain/(${below.join("|")})/` },
    },
  ];
});

/** Production code of app/: tests may reach further. */
const from = (path) => ({ path, pathNot: "\\.test\\.tsx?$" });

module.exports = {
  forbidden: [
    ...domainRules,
    {
      name: "domain-is-listed",
      comment: "A new domain module gets its place in domainOrder first.",
      severity: "error",
      from: {},
      to: {
        path: "^app/domain/",
        pathNot: `^app/domain/((services|schema-version)\\.server\\.ts$|(${domainOrder.join("|")})/)`,
      },
    },
    {
      name: "modules-do-not-reach-for-the-whole",
      comment: "services.server.ts puts the modules together; none of them may ask it for another.",
      severity: "error",
      from: from("^app/domain/[^/]+/"),
      to: { path: "^app/domain/services\\.server\\.ts$" },
    },
    {
      name: "one-face",
      comment:
        "From outside, a domain module is its index.server.ts (schema.ts and errors.ts are shared).",
      severity: "error",
      from: { path: "^(app/domain/([^/]+)/|app/(routes|web|worker)/)", pathNot: "\\.test\\.tsx?$" },
      to: {
        path: "^app/domain/([^/]+)/",
        pathNot: ["^app/domain/$2/", "^app/domain/[^/]+/(index\\.server|schema|errors)\\.ts$"],
      },
    },
    {
      name: "platform-knows-nobody",
      severity: "error",
      from: from("^app/platform/"),
      to: { path: "^app/", pathNot: "^app/platform/" },
    },
    {
      name: "integrations-use-platform",
      severity: "error",
      from: from("^app/integrations/"),
      to: { path: "^app/", pathNot: "^app/(platform|integrations)/" },
    },
    {
      name: "integrations-know-no-database-of-ours",
      severity: "error",
      from: from("^app/integrations/"),
      to: { path: "^db/" },
    },
    {
      name: "domain-knows-no-web",
      severity: "error",
      from: from("^app/domain/"),
      to: { path: "^app/(routes|web|worker|components|server|root|entry)" },
    },
    {
      name: "domain-knows-no-framework",
      severity: "error",
      from: { path: "^app/(domain|integrations|platform)/" },
      to: { path: "node_modules/(@remix-run|react|react-dom|express)/" },
    },
    {
      name: "worker-knows-no-web",
      severity: "error",
      from: from("^app/worker/"),
      to: { path: "^app/(routes|web|components)/" },
    },
    {
      name: "web-knows-no-routes",
      severity: "error",
      from: from("^app/web/"),
      to: { path: "^app/(routes|worker)/" },
    },
    {
      name: "routes-go-through-web-and-domain",
      severity: "error",
      from: from("^app/routes/"),
      to: { path: "^(app/(integrations|worker)/|db/)", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "components-only-show",
      comment: "What only computes words may be shared with the server.",
      severity: "error",
      from: from("^app/components/"),
      to: {
        pathNot: "^app/platform/durations\\.ts$",
        path: "^(app/(routes|web|worker|domain|integrations|platform)/|db/)",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "database-knows-nobody",
      severity: "error",
      from: from("^db/"),
      to: { path: "^(app|scripts|local|sandbox)/" },
    },
    {
      name: "nothing-imports-the-outside",
      comment: "sandbox/, tests/, scripts/ and bench/ are reached by nobody's import.",
      severity: "error",
      from: from("^(app|db|local)/"),
      to: { path: "^(sandbox|tests|scripts|bench)/" },
    },
    {
      name: "sandbox-stands-alone",
      comment: "The stand-in proves nothing if it shares code with what it stands against.",
      severity: "error",
      from: from("^sandbox/"),
      to: { path: "^(app|db|scripts|tests|bench)/" },
    },
    {
      name: "scripts-know-no-tests",
      severity: "error",
      from: from("^scripts/"),
      to: { path: "^(tests|sandbox|bench)/" },
    },
    {
      name: "local-is-for-developers-machines",
      severity: "error",
      from: { path: "^(app|db)/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^local/" },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(virtual:|\\./build)" },
    },
    {
      name: "production-uses-no-development-package",
      severity: "error",
      from: {
        path: "^(app|db)/",
        // Vite's configuration and development server are loaded by development alone.
        pathNot: ["\\.test\\.tsx?$", "^app/web/http/development\\.ts$", "^app/routes\\.ts$"],
      },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".cjs", ".json", ".css"],
    },
  },
};

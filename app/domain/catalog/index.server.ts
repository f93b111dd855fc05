export { type Catalog, loadCatalog } from "./catalog.ts";
export * from "./errors.ts";
export { PLANS, type Plan } from "./plans.ts";
export type { Template } from "./read.ts";
export {
  ChoiceNotPossibleError,
  type ChoiceProblem,
  resolveChoice,
  syncCatalog,
} from "./store.ts";
export {
  BaseNotSwitchableError,
  inactiveNames,
  listTemplates,
  switchTemplate,
  type TemplateItem,
} from "./switch.ts";
export type { FilePhase, TemplateFile } from "./template-file.ts";

export { type Catalog, loadCatalog } from "./catalog.ts";
export * from "./errors.ts";
export { filesFor } from "./files-for.ts";
export {
  type AnswerProblem,
  type Answers,
  completeAnswers,
  knownOf,
  type Parameter,
  presetOf,
  settingName,
  settingsOf,
} from "./parameters.ts";
export type { CustomerFacts, Fact } from "./parameters-facts.ts";
export { judgeAnswer } from "./parameters-judge.ts";
export { type Question, questionsOf } from "./parameters-told.ts";
export { PLANS, type Plan } from "./plans.ts";
export { authSettingsOf, bucketsOf } from "./project-settings.ts";
export type { Template, TemplateHistory } from "./read.ts";
export { LOCK_FILE, type Lock, readLock, releasedPath } from "./releases.ts";
export type { AuthSettings, Bucket } from "./schema.ts";
export {
  ChoiceNotPossibleError,
  type ChoiceProblem,
  clashesOf,
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

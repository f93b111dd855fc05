export {
  accountAnswer,
  businessAnswer,
  type DraftAnswers,
  ownProject,
  planAnswer,
  STEPS,
  type Step,
  seenDraft,
} from "./answers.ts";
export { type CorrectionView, viewCorrection } from "./asked-settings.ts";
export {
  correctedSince,
  correctionInput,
  correctSettings,
  seenRequest,
} from "./correct-settings.ts";
export {
  type Draft,
  findDraft,
  lastSubmitted,
  saveBusiness,
  saveFeatures,
  savePlan,
} from "./drafts.ts";
export {
  AnswersNotPossibleError,
  DraftChangedError,
  SettingsClosedError,
  StepNotOpenError,
} from "./errors.ts";
export { forgetDrafts } from "./forget-drafts.ts";
export {
  type FeatureOffer,
  listFeatures,
  listPlans,
  type PlanOffer,
  planOf,
  tickedAtFirst,
} from "./offers.ts";
export { leaveToBerth, useOwnProject } from "./own-project.ts";
export { readPasswordLink, redeemPasswordLink } from "./password.ts";
export { mailPasswordLink } from "./password-mail.ts";
export {
  countryName,
  INDUSTRIES,
  listCountries,
  listRegions,
  listTimeZones,
  regionName,
} from "./places.ts";
export { type BackendChoice, type Review, viewBackendChoice, viewReview } from "./review.ts";
export {
  credentialsInput,
  emailAddress,
  type NewCustomer,
  newCustomerInput,
  REGIONS,
} from "./schema.ts";
export {
  behindOf,
  readSettings,
  type SettingField,
  type SettingsOfFeature,
  saveSettings,
  settingField,
  viewSettings,
} from "./settings.ts";
export { firstOpenStep, isAnswered, stepsOf } from "./steps.ts";
export { type CustomerAnswer, findCustomers, submitRequest } from "./submit.ts";
export { submitDraft } from "./submit-draft.ts";
export { takeCustomer, testOffered } from "./take-customer.ts";
export { type ToldAnswers, tellAnswers } from "./tell-answers.ts";

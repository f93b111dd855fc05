import { BerthError } from "#app/platform/errors.ts";
import type { AnswerProblem } from "../catalog/index.server.ts";
import type { Step } from "./answers.ts";

/** An earlier step has no answer yet. */
export class StepNotOpenError extends BerthError {
  /** The step to go to. */
  readonly step: Step;
  constructor(step: Step) {
    super("step_not_open", "An earlier step of the sign-up is still open.", {
      fix: "Answer that step first.",
    });
    this.step = step;
  }
}

/** What is about to be submitted is not what the person saw. */
export class DraftChangedError extends BerthError {
  constructor() {
    super(
      "draft_changed",
      "Your answers were changed in another window since you opened this page.",
      {
        fix: "Look through your answers again, agree, and submit.",
      },
    );
  }
}

/** What is answered to a question of a feature cannot be taken, or no feature asks for it. */
export class AnswersNotPossibleError extends BerthError {
  readonly problems: readonly AnswerProblem[];
  constructor(problems: readonly AnswerProblem[]) {
    super(
      "answers_not_possible",
      "One or more answers to what the features ask are not right. Each is named in `errors`.",
    );
    // As many as anybody reads.
    this.problems = problems.slice(0, 50);
  }
}

/** A run is reading the answers, or the customer's project has them, or may: a correction might never be read. */
export class SettingsClosedError extends BerthError {
  /** `feature`: its title, where the answers to others are still open. */
  constructor(why: keyof typeof CLOSED, feature?: string) {
    const { message, fix } = CLOSED[why](feature ? `The settings of ${feature}` : "The settings");
    super("settings_closed", message, { fix });
  }
}

const CLOSED = {
  run: () => ({
    message: "A run is building with the settings at this moment, so they cannot be corrected.",
    fix: "Wait for the run to end, or cancel it. Then correct the settings, and retry.",
  }),
  built: (settings: string) => ({
    message: `${settings} are in the customer's project already, and nothing reads them here again.`,
    fix: "Change them in the product's own settings.",
  }),
  unknown: (settings: string) => ({
    message: `${settings} may be in the customer's project already; nobody knows yet.`,
    fix: "Retry: the next run finds out. What it finds there is changed in the product's own settings.",
  }),
};

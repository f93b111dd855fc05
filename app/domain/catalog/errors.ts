import { BerthError } from "#app/platform/errors.ts";

/** A line of a template's file, counted from 1; paths are relative to the templates' folder. */
export interface FilePlace {
  file: string;
  line: number;
}

export interface Problem {
  line: number;
  /** What is wrong, as the end of a sentence. */
  problem: string;
  found?: string;
  needed?: string;
  fix: string;
}

/** A file of a template breaks a rule. Base of the errors that point at a line. */
class TemplateFileError extends BerthError {
  readonly file: string;
  readonly line: number;

  constructor(code: string, file: string, problem: Problem, more = 0) {
    const others = more > 0 ? ` (${more} more in this file)` : "";
    super(code, `${file}:${problem.line}: ${problem.problem}${others}. ${problem.fix}`, {
      found: problem.found,
      needed: problem.needed,
      fix: problem.fix,
    });
    this.file = file;
    this.line = problem.line;
  }
}

/** A manifest cannot be read; `problems` holds all that was found, in order of line. */
export class ManifestInvalidError extends TemplateFileError {
  readonly problems: Problem[];

  constructor(file: string, problems: [Problem, ...Problem[]]) {
    super("template_manifest_invalid", file, problems[0], problems.length - 1);
    this.problems = problems;
  }
}

/** A file of a template has a name, an encoding, a directive or a content that it may not have. */
export class TemplateFileInvalidError extends TemplateFileError {
  constructor(place: FilePlace, problem: Omit<Problem, "line">) {
    super("template_file_invalid", place.file, { line: place.line, ...problem });
  }
}

/** Two migrations share their 14 digits, by which the ledger tells them apart. */
export class DuplicateVersionError extends TemplateFileError {
  constructor(version: string, first: string, second: string) {
    super("template_version_duplicate", second, {
      line: 1,
      problem: `version ${version} is taken by ${first}`,
      found: version,
      needed: "14 digits that no other migration of any template has",
      fix: "Give this file a later version.",
    });
  }
}

/** A template requires one that is not there, or not in a fitting version. */
export class DependencyError extends TemplateFileError {
  constructor(place: FilePlace, problem: Omit<Problem, "line">) {
    super("template_dependency", place.file, { line: place.line, ...problem });
  }
}

/** Templates require each other in a circle, given from its first member to itself. */
export class TemplateCycleError extends BerthError {
  readonly cycle: string[];

  constructor(cycle: string[]) {
    super("template_cycle", `Templates require each other in a circle: ${cycle.join(" → ")}.`, {
      found: cycle.join(" → "),
      fix: "Remove one of these requirements.",
    });
    this.cycle = cycle;
  }
}

/** No template has this name. */
export class UnknownTemplateError extends BerthError {
  constructor(name: string, known: string[]) {
    super("template_unknown", `There is no template named "${name}".`, {
      found: name,
      needed: `one of ${known.join(", ")}`,
      fix: "Choose one of the templates that exist.",
    });
  }
}

/** The templates' folder cannot be read, or lacks the template that all others need. */
export class TemplatesFolderError extends BerthError {
  constructor(folder: string, found: string, cause?: unknown) {
    super("templates_folder", `The templates' folder ${folder} is not usable: ${found}.`, {
      found,
      needed: "a folder with one folder per template, `base` among them",
      fix: "Set FEATURE_TEMPLATES_DIR to the folder with the templates.",
      cause,
    });
  }
}

import type { CheckLine, CheckName } from "#app/domain/backends/index.server.ts";
import type { CredentialErrors, CredentialField } from "#app/web/credentials.server.ts";

/** Each line's words, in the order in which a person reads them. */
const LINES: Record<CheckName, string> = {
  url: "The URL is the address of a project",
  "project-reachable": "The project answers",
  "anon-key": "The project takes the anon or publishable key",
  "service-role-key": "The project takes the service-role or secret key",
  "keys-not-swapped": "Each key is in its own field",
  "same-project": "URL, keys and database belong to one project",
  "not-in-use": "No other backend uses the project",
  "database-url": "The connection string can be used",
  "database-reachable": "The database server answers",
  "database-tls": "The connection is encrypted and verified",
  "database-login": "The database takes user and password",
  "database-privileges": "The user may do what is needed",
  "database-version": "PostgreSQL is new enough",
  "not-transaction-pooler": "The port keeps one session",
  "schema-empty-or-ours": "The database is empty, or Berth’s own",
};

/** How many lines a test has. */
export const LINE_COUNT = Object.keys(LINES).length;

/** A line as the list shows it; without a state where nothing is known of it yet. */
export interface ShownLine {
  name: CheckName;
  title: string;
  line: CheckLine | undefined;
}

/** What was found, with lines called by their words, not by their names. */
export const foundWords = ({ found }: CheckLine): string | undefined =>
  found?.replace(/\(see ([a-z-]+)\)/, (whole, name: string) =>
    name in LINES ? `(see “${LINES[name as CheckName]}”)` : whole,
  );

/** All lines, in their fixed order, with what is known of them. */
export function shownLines(known: readonly CheckLine[]): ShownLine[] {
  return (Object.keys(LINES) as CheckName[]).map((name) => ({
    name,
    title: LINES[name],
    line: known.find((line) => line.name === name),
  }));
}

/** What stands beside a field, and in the summary above them all. */
export interface FieldProblem {
  field: CredentialField;
  text: string;
}

const sentence = (text: string) => {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
};

/** The lines that do not hold, and the values that are none, each beside the field it concerns. */
export function fieldProblems(
  known: readonly CheckLine[],
  fields: CredentialErrors,
): FieldProblem[] {
  const problems = Object.entries(fields).map(([field, text]) => ({
    field: field as CredentialField,
    text,
  }));
  for (const { line } of shownLines(known)) {
    if (line?.state !== "fails") continue;
    const text = [foundWords(line), line.fix].flatMap((part) => part ?? []).map(sentence);
    problems.push({ field: line.field, text: text.join(" ") });
  }
  return problems;
}

/** What the whole test says, in a sentence: for the eye, and for who listens. */
export function verdict(known: readonly CheckLine[], isTesting: boolean): string {
  if (isTesting) return `Testing: ${known.length} of ${LINE_COUNT} lines known.`;
  if (known.length === 0) return "";
  const failing = known.filter(({ state }) => state === "fails").length;
  if (known.every(({ state }) => state === "holds")) return `All ${LINE_COUNT} lines hold.`;
  if (failing === 0) return "Some lines could not be checked. Test again.";
  return `${failing} of ${LINE_COUNT} lines ${failing === 1 ? "does" : "do"} not hold.`;
}

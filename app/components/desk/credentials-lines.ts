import type { CheckLine, CheckName } from "#app/domain/backends/index.server.ts";
import type { CredentialField, FieldErrors } from "#app/web/credentials.server.ts";

/** A line's words, in the order in which a person reads them, and the field that it speaks of. */
const LINES: Record<CheckName, { title: string; field: CredentialField }> = {
  url: { title: "The URL is the address of a project", field: "url" },
  "project-reachable": { title: "The project answers", field: "url" },
  "anon-key": { title: "The project takes the anon or publishable key", field: "anonKey" },
  "service-role-key": {
    title: "The project takes the service-role or secret key",
    field: "serviceRoleKey",
  },
  "keys-not-swapped": { title: "Each key is in its own field", field: "anonKey" },
  "same-project": { title: "URL, keys and database belong to one project", field: "url" },
  "not-in-use": { title: "No other backend uses the project", field: "url" },
  "database-url": { title: "The connection string can be used", field: "databaseUrl" },
  "database-reachable": { title: "The database server answers", field: "databaseUrl" },
  "database-tls": { title: "The connection is encrypted and verified", field: "databaseUrl" },
  "database-login": { title: "The database takes user and password", field: "databaseUrl" },
  "database-privileges": { title: "The user may do what is needed", field: "databaseUrl" },
  "database-version": { title: "PostgreSQL is new enough", field: "databaseUrl" },
  "not-transaction-pooler": { title: "The port keeps one session", field: "databaseUrl" },
  "schema-empty-or-ours": { title: "The database is empty, or Berth’s own", field: "databaseUrl" },
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
    name in LINES ? `(see “${LINES[name as CheckName].title}”)` : whole,
  );

/** All lines, in their fixed order, with what is known of them. */
export function shownLines(known: readonly CheckLine[]): ShownLine[] {
  return (Object.keys(LINES) as CheckName[]).map((name) => ({
    name,
    title: LINES[name].title,
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
export function fieldProblems(known: readonly CheckLine[], fields: FieldErrors): FieldProblem[] {
  const problems = Object.entries(fields).map(([field, text]) => ({
    field: field as CredentialField,
    text,
  }));
  for (const { name, line } of shownLines(known)) {
    if (line?.state !== "fails") continue;
    const text = [foundWords(line), line.fix].flatMap((part) => part ?? []).map(sentence);
    problems.push({ field: fieldOf(name, known), text: text.join(" ") });
  }
  return problems;
}

function fieldOf(name: CheckName, known: readonly CheckLine[]): CredentialField {
  if (name !== "keys-not-swapped") return LINES[name].field;
  // The key that stands in the other's field was not tried.
  const untried = (key: CheckName) => known.some((l) => l.name === key && l.state === "unchecked");
  return untried("service-role-key") && !untried("anon-key") ? "serviceRoleKey" : "anonKey";
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

import { type Check, type CheckField, type CheckLine, checkLine } from "./checks.ts";

/** A line as the customer itself is told it: nothing of other customers, no words for the desk. */
export function customerLine(check: Check): CheckLine {
  const line = checkLine(check);
  if (line.name !== "not-in-use" || line.state !== "fails") return line;
  return {
    ...line,
    found: "This project is in use already",
    needed: undefined,
    fix: "Give a project of your own, or let Berth create one.",
  };
}

/** The values that a person must look at for a line: where no one key is to blame, both. */
export function fieldsOf(check: Check): CheckField[] {
  const { name, field } = checkLine(check);
  return name === "keys-not-swapped" && !check.field ? ["anonKey", "serviceRoleKey"] : [field];
}

/** What was found, as a sentence of its own. A host name at its beginning stays as it is written. */
export function inSentence(text = ""): string {
  const beginsWithHost = /^[a-z\d-]+(\.[a-z\d-]+)+/.test(text);
  const begun = beginsWithHost ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return text === "" || /[.!?]$/.test(text) ? begun : `${begun}.`;
}

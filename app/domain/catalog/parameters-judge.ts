import { TURNS_TEXT } from "#app/platform/plain-text.ts";
import type { Parameter } from "./parameters.ts";

/** An answer in the one form that databases get, or why it cannot be taken. */
export type Judged = { value: string } | { problem: string };

const EMPTY = { problem: "Fill this in." };
const CURRENCIES = new Set(Intl.supportedValuesOf("currency"));
/** A letter, digit or sign to see: some letters are invisible, and one sign is a blank (U+2800). */
const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * Judges one answer. It comes back in the one form that databases get: trimmed, `true` or `false`,
 * numbers in plain decimals with a point.
 */
export function judgeAnswer(parameter: Parameter, given: string): Judged {
  const text = given.trim();
  if (/\p{Cc}|\p{Zl}|\p{Zp}/u.test(text) || !text.isWellFormed()) {
    return { problem: "Use plain text on one line." };
  }
  if (TURNS_TEXT.test(text)) {
    return { problem: "This holds invisible marks that turn text around. Write it without them." };
  }
  if (parameter.type === "text") return judgeText(parameter, text);
  if (!VISIBLE.test(text)) return EMPTY;
  switch (parameter.type) {
    case "integer":
    case "decimal":
      return judgeNumber(parameter, text);
    case "boolean":
      return text === "true" || text === "false"
        ? { value: text }
        : { problem: "Answer true or false." };
    case "choice":
      return parameter.options.some(({ value }) => value === text)
        ? { value: text }
        : { problem: "Choose one of the options." };
    case "currency":
      return CURRENCIES.has(text.toUpperCase())
        ? { value: text.toUpperCase() }
        : { problem: "Use a currency's three letters, such as EUR." };
    case "time_zone":
      return isZone(text) ? { value: text } : { problem: "Use a time zone such as Europe/Berlin." };
    case "locale":
      return isLocale(text)
        ? { value: text }
        : { problem: "Use a language, or one with its region, such as de or de-AT." };
  }
}

function judgeText(parameter: Parameter & { type: "text" }, text: string): Judged {
  if (!VISIBLE.test(text)) return parameter.min > 0 ? EMPTY : { value: "" };
  const { length } = [...text];
  if (length < parameter.min) return { problem: `Use at least ${parameter.min} characters.` };
  if (length > parameter.max) return { problem: `Use at most ${parameter.max} characters.` };
  if (parameter.pattern && !new RegExp(`^(?:${parameter.pattern})$`, "u").test(text)) {
    return { problem: "This does not have the form that is asked for." };
  }
  return { value: text };
}

/** Digits that a database's numbers hold without loss, before and after the decimal sign. */
const WHOLE = { integer: 15, decimal: 12 };
const DECIMALS = 9;

/**
 * A comma is a decimal sign as much as a point. What one country reads as a thousand and another as
 * one is not guessed: `1,250`, `1.250`, `1.250,00`. The form that is kept never looks like that.
 */
function judgeNumber(parameter: Parameter & { type: "integer" | "decimal" }, text: string): Judged {
  const { type, min, max } = parameter;
  if (/^[+-]?[\d.,]+e[+-]?\d+$/i.test(text)) {
    return { problem: "Write the number out, such as 100000." };
  }
  if (/^[+-]?\d+([.,' \u00a0\u202f’]\d+)*$/u.test(text)) {
    const isPlain = /^[+-]?\d+([.,]\d+)?$/.test(text);
    const isAmbiguous = /^[+-]?[1-9]\d{0,2}(,\d{3}|\.\d\d0)$/.test(text);
    if (!isPlain || isAmbiguous) {
      const sign = type === "decimal" ? ", with one comma or point for decimals" : "";
      const such = type === "decimal" ? "1250 or 1250.50" : "1250";
      return { problem: `Leave out the sign between thousands: write ${such}${sign}.` };
    }
  }
  const [, sign = "", whole = "", decimals = ""] =
    /^([+-]?)0*(\d+)(?:[.,](\d+))?$/.exec(text) ?? [];
  if (whole === "") {
    const such =
      type === "integer" ? "a whole number, such as 12" : "a number, such as 12 or 12.50";
    return { problem: `Use ${such}.` };
  }
  if (type === "integer" && decimals !== "") return { problem: "Use a whole number, such as 12." };
  const most = 10 ** WHOLE[type] - 1;
  if (whole.length > WHOLE[type]) {
    return {
      problem: sign === "-" ? `Use ${min ?? -most} or more.` : `Use ${max ?? most} or less.`,
    };
  }
  if (decimals.length > DECIMALS) return { problem: `Use at most ${DECIMALS} decimals.` };
  const number = Number(`${sign}${whole}.${decimals || 0}`);
  if (min !== undefined && number < min) return { problem: `Use ${min} or more.` };
  if (max !== undefined && number > max) return { problem: `Use ${max} or less.` };
  // As it was written: a number of JavaScript has not as many digits.
  const plain = `${whole}.${decimals}`.replace(/\.?0*$/, "");
  return { value: sign === "-" && number !== 0 ? `-${plain}` : plain };
}

/** As the templates' own constraints have it: no offsets, no POSIX rules. */
function isZone(text: string): boolean {
  if (!/^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** A BCP 47 tag of language, script and region. */
function isLocale(text: string): boolean {
  if (!/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/.test(text)) return false;
  return new Intl.DisplayNames("en", { type: "language", fallback: "none" }).of(text) !== undefined;
}

import type { Question } from "#app/domain/catalog/index.server.ts";

/** What an answer is. */
const TYPES: Record<Question["type"], string> = {
  text: "a text",
  integer: "a whole number",
  decimal: "a number",
  boolean: "yes or no",
  choice: "one of a list",
  currency: "a currency",
  time_zone: "a time zone",
  locale: "a language",
};

/** Where an answer comes from that nobody has given. */
export const PREFILLED: Record<Exclude<Question["prefill"], null>, string> = {
  company: "the company’s name",
  time_zone: "the customer’s time zone",
  currency: "the currency of the customer’s country",
  locale: "the language of the customer’s country",
};

const numbers = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 9 });

/** What may be answered, in words: `a whole number from 1 to 99`. */
export function answerInWords({ type, isMoney, min, max }: Question): string {
  const what = isMoney ? "an amount of money" : TYPES[type];
  if (type === "text") {
    if (max === null) return what;
    const least = min !== null && min > 1 ? `${numbers.format(min)} to ` : "up to ";
    return `${what} of ${least}${numbers.format(max)} characters`;
  }
  if (min !== null && max !== null) {
    return `${what} from ${numbers.format(min)} to ${numbers.format(max)}`;
  }
  if (min !== null) return `${what}, ${numbers.format(min)} or more`;
  return max === null ? what : `${what}, ${numbers.format(max)} or less`;
}

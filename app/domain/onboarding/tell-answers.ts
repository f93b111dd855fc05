import type { Answers, Catalog, Parameter } from "../catalog/index.server.ts";
import { currencyName, languageName } from "./currencies-and-languages.ts";

/** The answers to what one feature asks, in words. */
export interface ToldAnswers {
  template: string;
  title: string;
  answers: { name: string; title: string; answer: string }[];
}

/**
 * Answers in words, feature by feature. What the catalogue does not ask any more stands as it was
 * answered.
 */
export function tellAnswers(catalog: Catalog, answers: Answers): ToldAnswers[] {
  const known = catalog.templates.filter(({ name }) => Object.hasOwn(answers, name));
  const ordered = catalog.order(known.map(({ name }) => name)).map(({ name }) => name);
  const names = [...new Set([...ordered, ...Object.keys(answers)])];
  return names.flatMap((template) => {
    const given = new Map(Object.entries(answers[template] ?? {}));
    if (given.size === 0) return [];
    const found = known.find(({ name }) => name === template);
    const asked = found?.parameters.filter(({ name }) => given.has(name)) ?? [];
    const others = [...given.keys()].filter((name) => asked.every((one) => one.name !== name));
    const told = asked.map((one) => ({
      name: one.name,
      title: one.title,
      answer: inWords(one, given.get(one.name) ?? "", answers.base?.currency),
    }));
    const left = others.map((name) => ({ name, title: name, answer: given.get(name) ?? "" }));
    return [{ template, title: found?.title ?? template, answers: [...told, ...left] }];
  });
}

function inWords(asked: Parameter, value: string, currency: string | undefined): string {
  switch (asked.type) {
    case "decimal":
      return asked.unit === "currency" ? moneyInWords(value, currency) : value;
    case "boolean":
      return value === "true" ? "Yes" : "No";
    case "choice":
      return asked.options.find((option) => option.value === value)?.title ?? value;
    case "currency":
      return currencyName(value);
    case "time_zone":
      return value.replaceAll("_", " ");
    case "locale":
      return languageName(value);
    default:
      return value;
  }
}

/** An amount with its currency's decimals, and with more where it has more. */
function moneyInWords(value: string, currency: string | undefined): string {
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency) || value.trim() === "") return value;
  const amount = Number(value);
  if (!Number.isFinite(amount)) return value;
  return new Intl.NumberFormat("en-GB", {
    style: "currency",
    currency,
    currencyDisplay: "code",
    maximumFractionDigits: 9,
  }).format(amount);
}

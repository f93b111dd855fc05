import type { Parameter } from "./parameters.ts";
import type { Fact } from "./parameters-facts.ts";

/** What is asked of the customer, as pages tell it to staff and to who writes programs. */
export interface Question {
  name: string;
  title: string;
  type: Parameter["type"];
  help: string | null;
  /** The default; null where there is none. */
  preset: string | null;
  /** The fact that stands there beforehand; what it does not say, the default does. */
  prefill: Fact | null;
  /** Of a choice. */
  options: { value: string; title: string }[];
  /** Of a number; of a text, in characters. */
  min: number | null;
  max: number | null;
  /** An amount of the company's money. */
  isMoney: boolean;
}

/** The questions of a template, in its order. */
export const questionsOf = (parameters: readonly Parameter[]): Question[] =>
  parameters.map((asked) => ({
    name: asked.name,
    title: asked.title,
    type: asked.type,
    help: asked.help ?? null,
    preset: asked.default === undefined ? null : String(asked.default),
    prefill: asked.prefill ?? null,
    options: "options" in asked ? asked.options : [],
    min: "min" in asked ? (asked.min ?? null) : null,
    max: "max" in asked ? (asked.max ?? null) : null,
    isMoney: "unit" in asked && asked.unit === "currency",
  }));

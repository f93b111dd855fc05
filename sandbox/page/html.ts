const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup that is safe to send as it is. */
export interface Html {
  readonly markup: string;
}

/** Makes text inert in markup and in quoted attributes. */
const escapeText = (text: string) => text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

/** A template whose values are escaped, unless they are Html (or lists of it) themselves. */
export function html(parts: TemplateStringsArray, ...values: unknown[]): Html {
  const one = (value: unknown): string => {
    if (value === null || value === undefined || value === false) return "";
    if (Array.isArray(value)) return value.map(one).join("");
    if (typeof value === "object" && "markup" in value) return `${value.markup}`;
    return escapeText(`${value}`);
  };
  return { markup: parts.reduce((text, part, i) => text + one(values[i - 1]) + part) };
}

/** Passes markup that is written in our own source through unescaped. */
export const trusted = (markup: string): Html => ({ markup });

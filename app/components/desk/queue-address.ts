/** One entry of a list to choose from. */
export interface Option {
  value: string;
  label: string;
}

/** What the queue can be narrowed to by choosing, in the order of the form. */
export interface QueueChoices {
  status: Option[];
  priority: Option[];
  plan: Option[];
  region: Option[];
  assignee: Option[];
}

/** A filter that is on: its words, and the address without it. */
export interface Chip {
  label: string;
  without: string;
}

const NAMES = {
  status: "Status",
  priority: "Priority",
  plan: "Plan",
  region: "Region",
  assignee: "Assignee",
};
const WINDOWS = { received: "Received", completed: "Completed", failed: "Failed" };
const WORDS: Record<string, Record<string, string>> = {
  due: { soon: "Due soon", late: "Late" },
  promise: { kept: "Promise kept", broken: "Promise broken" },
};

/** What the list is asked for by a code: one that fits nothing narrows it all the same, to nothing. */
const OPEN_LISTS = new Set(["plan", "region", "assignee"]);

/** Every parameter that narrows the list. */
export const FILTERS = [
  ...Object.keys(NAMES),
  "q",
  ...Object.keys(WORDS),
  ...Object.keys(WINDOWS).flatMap((name) => [`${name}From`, `${name}To`]),
];

/** The filters that an address turns on. A status or a priority that is none is left out. */
export function chipsOf(params: URLSearchParams, choices: QueueChoices): Chip[] {
  const chip = (label: string, ...names: string[]): Chip => {
    const rest = new URLSearchParams(params);
    for (const name of [...names, "cursor"]) rest.delete(name);
    return { label, without: addressOf(rest) };
  };
  const chosen = Object.entries(NAMES).flatMap(([name, title]) => {
    const values = valuesOf(params, name);
    const known = choices[name as keyof QueueChoices].filter(({ value }) => values.includes(value));
    const words = known.map(({ label }) => label);
    if (OPEN_LISTS.has(name)) {
      words.push(...values.filter((value) => known.every((one) => one.value !== value)));
    }
    return words.length > 0 ? [chip(`${title}: ${words.join(", ").slice(0, 60)}`, name)] : [];
  });
  const text = params.get("q")?.trim();
  const words = Object.entries(WORDS).flatMap(([name, say]) => {
    const label = say[params.get(name) ?? ""];
    return label ? [chip(label, name)] : [];
  });
  const windows = Object.entries(WINDOWS).flatMap(([name, title]) => {
    const [from, to] = [params.get(`${name}From`), params.get(`${name}To`)];
    const parts = [from && `from ${day(from)}`, to && `before ${day(to)}`].filter(Boolean);
    return parts.length > 0
      ? [chip(`${title} ${parts.join(" ")}`, `${name}From`, `${name}To`)]
      : [];
  });
  return [...chosen, ...(text ? [chip(`“${text.slice(0, 60)}”`, "q")] : []), ...words, ...windows];
}

/** The values of a parameter: with commas, or given several times. */
export function valuesOf(params: URLSearchParams, name: string): string[] {
  return params
    .getAll(name)
    .flatMap((value) => value.split(","))
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

/** `?…` with these parameters; the page without any where there are none. Empty ones are left out. */
export function addressOf(params: URLSearchParams): string {
  const filled = [...params].filter(([, value]) => value.trim() !== "");
  return filled.length > 0 ? `?${new URLSearchParams(filled)}` : "?";
}

/** A moment that is a whole day in UTC, as a day; any other with its time. */
const day = (text: string) => text.slice(0, 24).replace(/T00:00(:00(\.000)?)?Z$/, "");

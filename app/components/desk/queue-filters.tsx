import { Form, Link, useSubmit } from "@remix-run/react";
import { CircleAlert, Clock, Search, SlidersHorizontal, TimerReset, X } from "lucide-react";
import { type FormEvent, useEffect, useRef } from "react";
import type { DeskCounts } from "#app/domain/queue/index.server.ts";
import { Button, buttonClass, closeOnEscape } from "../ui.tsx";
import {
  addressOf,
  chipsOf,
  FILTERS,
  type Option,
  type QueueChoices,
  valuesOf,
} from "./queue-address.ts";

const LABELS: Record<keyof QueueChoices, [label: string, everything: string]> = {
  status: ["Status", "All open"],
  priority: ["Priority", "Any"],
  plan: ["Plan", "Any"],
  region: ["Region", "Any"],
  assignee: ["Assignee", "Anybody"],
};

/** The search, the filters behind a button, and those that are on as chips. A GET form: it needs no scripts. */
export function QueueFilters(props: { params: URLSearchParams; choices: QueueChoices }) {
  const { params, choices } = props;
  const submit = useSubmit();
  const panel = useRef<HTMLDetailsElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const text = params.get("q") ?? "";
  // The box keeps its focus over a search, and still follows the address when that changes.
  useEffect(() => {
    if (search.current) search.current.value = text;
  }, [text]);
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (panel.current) panel.current.open = false;
    const entries = [...new FormData(event.currentTarget)].map(([name, value]) => [
      name,
      String(value),
    ]);
    submit(new URLSearchParams(addressOf(new URLSearchParams(entries))), { method: "get" });
  };
  const links = FILTERS.filter((name) => name !== "q" && !(name in LABELS) && params.has(name));
  return (
    <Form
      method="get"
      role="search"
      aria-label="Requests"
      onSubmit={send}
      className="relative flex flex-wrap items-center gap-2"
    >
      <label className="input input-sm w-76 border-secondary max-sm:grow">
        <Search size={14} aria-hidden="true" className="text-quiet" />
        <span className="sr-only">Search company, contact, e-mail or reference</span>
        <input
          ref={search}
          type="search"
          name="q"
          defaultValue={text}
          maxLength={200}
          placeholder="Company, contact, e-mail, reference"
        />
      </label>
      {links.map((name) => (
        <input key={name} type="hidden" name={name} value={params.get(name) ?? ""} />
      ))}
      <details ref={panel} onKeyDown={closeOnEscape} className="group">
        <summary className={`${buttonClass("secondary", "sm")} list-none`}>
          <SlidersHorizontal size={14} aria-hidden="true" />
          Filters
        </summary>
        <div className="mt-2 grid gap-3 rounded-box border border-base-300 bg-base-100 p-4 shadow-lg sm:absolute sm:left-0 sm:z-30 sm:w-120 sm:grid-cols-2 max-sm:w-[calc(100vw-2rem)]">
          {Object.entries(LABELS).map(([name, [label, everything]]) => (
            <Choice
              key={name}
              name={name}
              label={label}
              everything={everything}
              options={choices[name as keyof QueueChoices]}
              values={valuesOf(params, name)}
            />
          ))}
          <div className="flex items-end">
            <Button type="submit" variant="secondary" size="sm">
              Apply filters
            </Button>
          </div>
        </div>
      </details>
      <Chips params={params} choices={choices} />
    </Form>
  );
}

/** One of several; what a link asked for together stays one choice. */
function Choice(props: {
  name: string;
  label: string;
  everything: string;
  options: Option[];
  values: string[];
}) {
  const { name, label, everything, options, values } = props;
  const known = options.filter(({ value }) => values.includes(value));
  const current = known.map(({ value }) => value).join(",");
  const several =
    known.length > 1 ? [{ value: current, label: known.map((one) => one.label).join(", ") }] : [];
  return (
    <label className="grid gap-1">
      <span className="font-medium">{label}</span>
      <select
        key={current}
        name={name}
        defaultValue={current}
        className="select select-sm w-full border-secondary"
      >
        <option value="">{everything}</option>
        {[...several, ...options].map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

function Chips({ params, choices }: { params: URLSearchParams; choices: QueueChoices }) {
  const chips = chipsOf(params, choices);
  if (chips.length === 0) return null;
  return (
    <ul aria-label="Filters that are on" className="flex flex-wrap items-center gap-1.5">
      {chips.map(({ label, without }) => (
        <li key={label}>
          <Link
            to={without}
            aria-label={`Remove the filter ${label}`}
            className="inline-flex min-h-7 max-w-72 items-center gap-1 rounded-full border border-secondary px-2.5 text-xs font-medium hover:bg-base-200"
          >
            <span className="truncate">{label}</span>
            <X size={12} aria-hidden="true" className="shrink-0" />
          </Link>
        </li>
      ))}
      <li>
        <Link to="?" className="px-1 text-xs underline underline-offset-2">
          Clear filters
        </Link>
      </li>
    </ul>
  );
}

/** What matters now, each a link to its list. */
export function QueueCounts({ counts }: { counts: DeskCounts }) {
  const { waiting, soon, late } = counts;
  const items = [
    { to: "?status=pending", ...waiting, word: "waiting", icon: Clock, ink: "" },
    { to: "?due=soon", ...soon, word: "soon", icon: TimerReset, ink: "text-warning" },
    { to: "?due=late", ...late, word: "late", icon: CircleAlert, ink: "text-error" },
  ];
  return (
    <ul aria-label="Now" className="flex flex-wrap gap-1">
      {items.map(({ to, count, isMore, word, icon: Icon, ink }) => (
        <li key={word}>
          <Link
            to={to}
            className={`inline-flex min-h-9 items-center gap-1.5 rounded-field px-2.5 tabular-nums hover:bg-base-200 ${count > 0 ? ink : "text-quiet"}`}
          >
            <Icon size={14} aria-hidden="true" />
            <span className="font-semibold">
              {count.toLocaleString("en")}
              {isMore ? "+" : null}
            </span>
            {word}
          </Link>
        </li>
      ))}
    </ul>
  );
}

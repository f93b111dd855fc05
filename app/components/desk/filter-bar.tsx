import { Form, Link, useLocation, useSubmit } from "@remix-run/react";
import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import { Notice } from "../notice.tsx";
import { Button } from "../ui.tsx";

/** The filters of a list; they stand in its address. `isSet`: whether any of them narrows it. */
export function FilterBar(props: { label: string; isSet: boolean; children: ReactNode }) {
  const { label, isSet, children } = props;
  const { pathname, search } = useLocation();
  const submit = useSubmit();
  return (
    // Another address brings other values: the fields begin anew.
    <Form
      key={search}
      method="get"
      onSubmit={(event) => {
        event.preventDefault();
        // Blank fields are left out of the address, so that it can be read and passed on.
        const given = new URLSearchParams();
        for (const [name, value] of new FormData(event.currentTarget)) {
          if (typeof value === "string" && value.trim() !== "") given.set(name, value.trim());
        }
        submit(given, { method: "get", action: pathname });
      }}
      role="search"
      aria-label={label}
      className="mb-4 grid grid-cols-2 items-end gap-3 sm:flex sm:flex-wrap"
    >
      {children}
      <div className="col-span-2 flex items-center gap-2">
        <Button type="submit" size="sm">
          Apply
        </Button>
        {isSet ? (
          <Link to={pathname} className="link px-2 text-sm">
            Show all
          </Link>
        ) : null}
      </div>
    </Form>
  );
}

const box = "border-secondary w-full";

/** A small field of a filter bar. `suggestions` are offered while typing. */
export function FilterField({
  label,
  name,
  suggestions,
  error,
  className = "",
  ...input
}: InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  name: string;
  suggestions?: string[];
  /** Why what stands in it was left out. */
  error?: string | undefined;
}) {
  const list = useId();
  const why = useId();
  return (
    <label className={`block min-w-0 ${className}`}>
      <span className="mb-1 block text-xs text-quiet">{label}</span>
      <input
        name={name}
        className={`input input-sm ${box} ${error ? "border-error" : ""}`}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? why : undefined}
        list={suggestions ? list : undefined}
        autoComplete="off"
        {...input}
      />
      {error ? (
        <span id={why} className="mt-1 block text-xs text-error">
          {error}
        </span>
      ) : null}
      {suggestions ? (
        <datalist id={list}>
          {suggestions.map((text) => (
            <option key={text} value={text} />
          ))}
        </datalist>
      ) : null}
    </label>
  );
}

/** One of a few, or any. */
export function FilterSelect(props: {
  label: string;
  name: string;
  value: string | undefined;
  any: string;
  options: { value: string; label: string }[];
}) {
  const { label, name, value, any, options } = props;
  return (
    <label className="block min-w-0">
      <span className="mb-1 block text-xs text-quiet">{label}</span>
      <select name={name} defaultValue={value ?? ""} className={`select select-sm ${box}`}>
        <option value="">{any}</option>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Names what stood in the address and means nothing, and says why. */
export function IgnoredFilters({ ignored }: { ignored: { name: string; reason: string }[] }) {
  if (ignored.length === 0) return null;
  return (
    <Notice tone="warning" title="Part of this address means nothing here, and was left out">
      <ul>
        {ignored.map(({ name, reason }) => (
          <li key={name}>
            <b>{name}</b> {reason}.
          </li>
        ))}
      </ul>
    </Notice>
  );
}

import { Link } from "@remix-run/react";

/** A number that opens the list of what it counts. */
export function NumberLink(props: { to: string; value: number | string; label: string }) {
  const { to, value, label } = props;
  return (
    <Link to={to} className="tabular-nums underline-offset-4 hover:underline">
      {value}
      <span className="sr-only"> {label}</span>
    </Link>
  );
}

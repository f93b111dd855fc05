import { Link } from "@remix-run/react";
import { ArrowDownRight, ArrowUpRight, type LucideIcon, MoveRight } from "lucide-react";

/** A count of the last seven days, and of the seven before them. */
export interface Trend {
  /** What was counted: "arrived". */
  word: string;
  value: number;
  to: string;
  before: number;
  toBefore: string;
}

/** One of the numbers that matter now: it opens its list; below it stands where it is heading. */
export function Headline(props: {
  label: string;
  value: number;
  to: string;
  icon: LucideIcon;
  /** The colour of a number that asks for something; one of zero never has it. */
  ink?: string;
  trend: Trend;
}) {
  const { label, value, to, icon: Icon, ink = "", trend } = props;
  const urgent = value > 0 ? ink : "";
  return (
    <li className="min-w-0 border-l-2 border-base-300 pl-4" data-headline={label}>
      <Link to={to} className="group block rounded-box">
        <span className={`flex items-center gap-1.5 ${urgent || "text-quiet"}`}>
          <Icon size={14} aria-hidden="true" />
          {label}
        </span>
        <span
          className={`block text-4xl/12 font-semibold tracking-tight tabular-nums decoration-2 underline-offset-4 group-hover:underline ${urgent}`}
        >
          {value}
          <span className="sr-only"> {value === 1 ? "request" : "requests"}</span>
        </span>
      </Link>
      <TrendLine trend={trend} />
    </li>
  );
}

function TrendLine({ trend }: { trend: Trend }) {
  const { word, value, to, before, toBefore } = trend;
  const Icon = value > before ? ArrowUpRight : value < before ? ArrowDownRight : MoveRight;
  return (
    <p className="text-xs/5 text-quiet">
      <Link to={to} className="tabular-nums underline-offset-2 hover:underline">
        {value} {word} in 7 days
      </Link>
      <span className="block">
        <Icon size={12} aria-hidden="true" className="mr-1 inline" />
        <Link to={toBefore} className="tabular-nums underline-offset-2 hover:underline">
          {before} the week before
          <span className="sr-only">, {word}</span>
        </Link>
      </span>
    </p>
  );
}

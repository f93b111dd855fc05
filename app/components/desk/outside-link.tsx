import { ExternalLink } from "lucide-react";
import type { ReactNode } from "react";

/** A link to another place, such as Supabase's dashboard, which opens beside this page. */
export function OutsideLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <a href={to} target="_blank" rel="noreferrer" className="link link-primary">
      {children}
      <ExternalLink size={13} aria-hidden="true" className="ml-1 inline align-[-0.1em]" />
      <span className="sr-only"> (opens in a new tab)</span>
    </a>
  );
}

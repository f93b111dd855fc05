import type { Dashboard, Spread } from "#app/domain/reports/index.server.ts";
import { Table } from "../table.tsx";
import { formatDuration } from "../time.tsx";
import { Panel } from "../ui.tsx";
import { completed } from "./links.ts";
import { NumberLink } from "./number-link.tsx";

const PHASES = [
  { key: "whole", name: "Received to ready", note: "" },
  { key: "waiting", name: "Waiting", note: "until its first claim" },
  { key: "preparing", name: "Preparing", note: "until the first credentials" },
  { key: "building", name: "Building", note: "until ready, repairs included" },
] as const;

/** How long the requests of 30 days took, as a whole and by phase. */
export function DurationsPanel({ figures }: { figures: Dashboard }) {
  const { durations, windows } = figures;
  const to = completed(windows.last30);
  const longest = Math.max(1, ...PHASES.map(({ key }) => durations[key].p95 ?? 0));
  return (
    <Panel title="Time to complete, 30 days">
      {durations.count === 0 ? (
        <p className="text-quiet">Nothing was completed in the last 30 days.</p>
      ) : (
        <Table caption="Median and 95th percentile of the time to complete, by phase">
          <thead>
            <tr>
              <th scope="col">Phase</th>
              <th scope="col" className="text-right">
                Median
              </th>
              <th scope="col" className="text-right">
                95 % within
              </th>
              <th className="w-2/5 max-sm:hidden">
                <span className="sr-only">Drawn</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {PHASES.map(({ key, name, note }) => (
              <tr key={key} data-phase={key}>
                <th scope="row" className={key === "whole" ? "font-medium" : "font-normal"}>
                  {name}
                  {note ? <span className="block text-xs text-quiet">{note}</span> : null}
                </th>
                <Cell to={to} ms={durations[key].median} label={`median, ${name}`} />
                <Cell to={to} ms={durations[key].p95} label={`95th percentile, ${name}`} />
                <td className="max-sm:hidden">
                  <Bar spread={durations[key]} longest={longest} />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

function Cell({ to, ms, label }: { to: string; ms: number | null; label: string }) {
  return (
    <td className="text-right whitespace-nowrap">
      {ms === null ? (
        <span className="text-quiet">not measured</span>
      ) : (
        <NumberLink to={to} value={formatDuration(ms)} label={label} />
      )}
    </td>
  );
}

/** The median as a bar, on to the 95th percentile as a thin line. */
function Bar({ spread, longest }: { spread: Spread; longest: number }) {
  const width = (ms: number | null) => ((ms ?? 0) / longest) * 100;
  return (
    <svg
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      className="h-2 w-full text-primary"
      aria-hidden="true"
    >
      <rect y="3.5" width={width(spread.p95)} height="1" className="fill-secondary" />
      <rect width={width(spread.median)} height="8" fill="currentColor" />
    </svg>
  );
}

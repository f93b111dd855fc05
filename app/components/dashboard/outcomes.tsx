import type { Dashboard } from "#app/domain/reports/index.server.ts";
import { percentOf } from "../charts/shares.ts";
import { Table } from "../table.tsx";
import { Panel } from "../ui.tsx";
import { completed, failed } from "./links.ts";
import { NumberLink } from "./number-link.tsx";

/** What became of requests in 7 and in 30 days, and how many of the runs succeeded. */
export function Outcomes({ figures }: { figures: Dashboard }) {
  const { week, month, runs, windows } = figures;
  const spans = [
    { words: "7 days", flow: week, window: windows.last7 },
    { words: "30 days", flow: month, window: windows.last30 },
  ];
  const rows = [
    { name: "Completed", value: "completed", to: (w: Span) => completed(w) },
    { name: "In time", value: "kept", to: (w: Span) => completed(w, "kept") },
    { name: "After their promise", value: "broken", to: (w: Span) => completed(w, "broken") },
    { name: "With a failed run", value: "failed", to: failed },
  ] as const;
  return (
    <Panel title="Finished">
      <Table caption="Requests that were completed or failed">
        <thead>
          <tr>
            <th scope="col">Requests</th>
            {spans.map(({ words }) => (
              <th key={words} scope="col" className="text-right">
                {words}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, value, to }) => (
            <tr key={name} data-outcome={value}>
              <th scope="row" className="font-normal">
                {name}
              </th>
              {spans.map(({ words, flow, window }) => (
                <td key={words} className="text-right">
                  <NumberLink
                    to={to(window)}
                    value={flow[value]}
                    label={`${name.toLowerCase()} in ${words}`}
                  />
                </td>
              ))}
            </tr>
          ))}
          <tr data-outcome="runs">
            <th scope="row" className="font-normal">
              Runs that succeeded
            </th>
            <td colSpan={2} className="text-right">
              <RunRate runs={runs} to={failed(windows.last30)} />
            </td>
          </tr>
        </tbody>
      </Table>
    </Panel>
  );
}

type Span = Dashboard["windows"]["last7"];

/** A run has no list of its own: the rate opens the requests of those that did not succeed. */
function RunRate({ runs, to }: { runs: Dashboard["runs"]; to: string }) {
  if (runs.ended === 0) return <span className="text-quiet">no run yet</span>;
  const rate = `${percentOf(runs.succeeded, runs.ended)} %`;
  return (
    <>
      <span className="mr-2 text-quiet tabular-nums">
        {runs.succeeded} of {runs.ended}
      </span>
      <NumberLink
        to={to}
        value={rate}
        label="of runs succeeded. Open the requests with a failed one"
      />
    </>
  );
}

import { lazy } from "react";
import type { DayFlow } from "#app/domain/reports/index.server.ts";
import { completed, received } from "../dashboard/links.ts";
import { NumberLink } from "../dashboard/number-link.tsx";
import { Table } from "../table.tsx";
import { Chart, LegendEntry } from "./chart.tsx";
import { formatDay } from "./dates.ts";

const FlowPlot = lazy(async () => ({ default: (await import("./plots.tsx")).FlowPlot }));

/** What came in against what was finished, day by day. */
export function FlowChart({ days }: { days: readonly DayFlow[] }) {
  return (
    <Chart
      title="Arrivals and completions per day"
      legend={
        <>
          <LegendEntry mark="size-2.5 rounded-sm bg-secondary">Arrived (left bar)</LegendEntry>
          <LegendEntry mark="size-2.5 rounded-sm bg-success">Completed (right bar)</LegendEntry>
        </>
      }
      drawing={<FlowPlot days={days} />}
      table={
        <Table caption="Arrivals and completions per day, in UTC">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col" className="text-right">
                Arrived
              </th>
              <th scope="col" className="text-right">
                Completed
              </th>
            </tr>
          </thead>
          <tbody>
            {[...days].reverse().map((day) => (
              <tr key={day.from} data-day={day.from}>
                <th scope="row" className="font-normal whitespace-nowrap">
                  {formatDay(day.from)}
                </th>
                <td className="text-right">
                  <NumberLink to={received(day)} value={day.arrived} label="arrived" />
                </td>
                <td className="text-right">
                  <NumberLink to={completed(day)} value={day.completed} label="completed" />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      }
    />
  );
}

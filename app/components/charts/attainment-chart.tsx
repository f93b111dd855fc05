import { lazy } from "react";
import type { WeekPromises } from "#app/domain/reports/index.server.ts";
import { completed } from "../dashboard/links.ts";
import { NumberLink } from "../dashboard/number-link.tsx";
import { Table } from "../table.tsx";
import { Chart, LegendEntry } from "./chart.tsx";
import { formatStretch, weekNumber } from "./dates.ts";
import { percentOf } from "./shares.ts";

const AttainmentPlot = lazy(async () => ({
  default: (await import("./plots.tsx")).AttainmentPlot,
}));

/** How many promises were kept, week by week, against the target. */
export function AttainmentChart(props: { weeks: readonly WeekPromises[]; target: number }) {
  const { weeks, target } = props;
  const percent = `${target * 100} %`;
  return (
    <Chart
      title="Promises kept per week"
      legend={
        <>
          <LegendEntry mark="size-2.5 rounded-sm bg-success">{percent} or more</LegendEntry>
          <LegendEntry mark="size-2.5 rounded-sm bg-error">Less than {percent}</LegendEntry>
          <LegendEntry mark="size-2.5 rounded-sm border border-dashed border-secondary bg-base-300">
            This week so far
          </LegendEntry>
          <LegendEntry mark="w-4 border-t border-dashed border-base-content">
            Target, {percent}
          </LegendEntry>
        </>
      }
      drawing={<AttainmentPlot weeks={weeks} target={target} />}
      table={
        <Table caption="Completed requests per week, and how many kept their promise, in UTC">
          <thead>
            <tr>
              <th scope="col">Week</th>
              <th scope="col" className="text-right">
                Completed
              </th>
              <th scope="col" className="text-right">
                In time
              </th>
              <th scope="col" className="text-right">
                Too late
              </th>
              <th scope="col" className="text-right">
                Kept
              </th>
            </tr>
          </thead>
          <tbody>
            {[...weeks].reverse().map((week) => (
              <tr key={week.from} data-week={week.from}>
                <th scope="row" className="font-normal whitespace-nowrap">
                  {weekNumber(week.from)}
                  <span className="ml-2 text-quiet">{formatStretch(week)}</span>
                </th>
                <td className="text-right">
                  <NumberLink to={completed(week)} value={week.completed} label="completed" />
                </td>
                <td className="text-right">
                  <NumberLink to={completed(week, "kept")} value={week.kept} label="in time" />
                </td>
                <td className="text-right">
                  <NumberLink
                    to={completed(week, "broken")}
                    value={week.completed - week.kept}
                    label="too late"
                  />
                </td>
                <td className="text-right tabular-nums">
                  {week.completed === 0 ? (
                    <span className="text-quiet">none</span>
                  ) : (
                    `${percentOf(week.kept, week.completed)} %`
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      }
    />
  );
}

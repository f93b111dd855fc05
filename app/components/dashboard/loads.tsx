import type { Load } from "#app/domain/reports/index.server.ts";
import { Table } from "../table.tsx";
import { Badge, Panel } from "../ui.tsx";
import { heldBy } from "./links.ts";
import { NumberLink } from "./number-link.tsx";

/** Who carries how much of what each can carry. */
export function Loads({ loads }: { loads: readonly Load[] }) {
  return (
    <Panel title="People">
      <Table caption="Open requests of each member of the staff, against their capacity">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Duty</th>
            <th scope="col" className="text-right">
              In hand
            </th>
            <th scope="col" className="text-right">
              Capacity
            </th>
            <th className="w-2/5 max-sm:hidden">
              <span className="sr-only">Drawn</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {loads.map((load) => (
            <tr key={load.userId} data-person={load.userId}>
              <th scope="row" className="font-medium">
                {load.name}
                <span className="block text-xs font-normal text-quiet">{load.role}</span>
              </th>
              <td>
                <Badge tone={load.onDuty ? "primary" : "neutral"}>
                  {load.onDuty ? "On duty" : "Off duty"}
                </Badge>
              </td>
              <td className="text-right">
                <NumberLink to={heldBy(load.userId)} value={load.held} label="requests in hand" />
              </td>
              <td className="text-right tabular-nums">{load.capacity}</td>
              <td className="max-sm:hidden">
                <LoadBar load={load} />
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

function LoadBar({ load: { held, capacity } }: { load: Load }) {
  const share = capacity === 0 ? (held > 0 ? 1 : 0) : held / capacity;
  const full = share >= 1;
  return (
    <span className="flex items-center gap-2">
      <svg
        viewBox="0 0 100 8"
        preserveAspectRatio="none"
        className={`h-2 w-full min-w-16 ${full ? "text-warning" : "text-primary"}`}
        aria-hidden="true"
      >
        <rect width="100" height="8" className="fill-base-300" />
        <rect width={Math.min(1, share) * 100} height="8" fill="currentColor" />
      </svg>
      <span className="w-10 shrink-0 text-xs text-warning">{full ? "full" : ""}</span>
    </span>
  );
}

import type { Dashboard } from "#app/domain/reports/index.server.ts";
import { StatusBadge } from "../status.tsx";
import { Panel } from "../ui.tsx";
import { withStatus } from "./links.ts";
import { NumberLink } from "./number-link.tsx";

/** How many open requests have each status, in the order of a request's life. */
export function StatusCounts({ statuses }: { statuses: Dashboard["statuses"] }) {
  return (
    <Panel title="Open, by status">
      <ul className="divide-y divide-base-300 border-y border-base-300">
        {statuses.map(({ status, count }) => (
          <li key={status} className="flex h-9 items-center justify-between" data-status={status}>
            <StatusBadge status={status} />
            <span className={count === 0 ? "text-quiet" : "font-medium"}>
              <NumberLink
                to={withStatus(status)}
                value={count}
                label={count === 1 ? "request" : "requests"}
              />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

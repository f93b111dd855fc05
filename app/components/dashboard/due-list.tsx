import { Link } from "@remix-run/react";
import type { DueRequest } from "#app/domain/reports/index.server.ts";
import { DueBar, StatusBadge } from "../status.tsx";
import { Table } from "../table.tsx";
import { Panel } from "../ui.tsx";
import { queueLink } from "./links.ts";

/** The most urgent requests of one kind, by name; the queue has all of them. */
export function DueList(props: {
  title: string;
  state: "soon" | "late";
  count: number;
  requests: readonly DueRequest[];
  nothing: string;
}) {
  const { title, state, count, requests, nothing } = props;
  return (
    <Panel
      title={title}
      action={
        count > 0 ? (
          <Link to={queueLink({ due: state })} className="link link-primary tabular-nums">
            Show all ({count})
          </Link>
        ) : null
      }
    >
      {requests.length === 0 ? (
        <p className="text-quiet">{nothing}</p>
      ) : (
        <Table caption={title} foldBelow="sm">
          <thead>
            <tr>
              <th scope="col">Company</th>
              <th scope="col">Due</th>
              <th scope="col">Status</th>
              <th scope="col">Assignee</th>
            </tr>
          </thead>
          <tbody>
            {requests.map((request) => (
              <tr key={request.requestId} className="hover:bg-base-200">
                <th scope="row" className="font-medium">
                  <Link
                    to={`/desk/requests/${request.requestId}`}
                    className="link-hover link wrap-anywhere"
                  >
                    <bdi>{request.company}</bdi>
                  </Link>
                </th>
                <td>
                  <DueBar dueAt={request.dueAt} createdAt={request.createdAt} state={state} />
                </td>
                <td>
                  <StatusBadge status={request.status} failureCode={request.failureCode} />
                </td>
                <td className={request.assignee ? "whitespace-nowrap" : "text-quiet"}>
                  {request.assignee ?? "Nobody"}
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}

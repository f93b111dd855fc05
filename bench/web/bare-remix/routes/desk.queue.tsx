import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Link, useLoaderData } from "@remix-run/react";
import type pg from "pg";
import { firstRows } from "../../rows.ts";

export const meta: MetaFunction = () => [{ title: "Queue" }];

export async function loader({ context }: LoaderFunctionArgs) {
  const { pool } = context as unknown as { pool: pg.Pool };
  return { rows: await firstRows(pool) };
}

export default function Queue() {
  const { rows } = useLoaderData<typeof loader>();
  return (
    <main>
      <h1>Queue</h1>
      <table>
        <thead>
          <tr>
            <th>Company</th>
            <th>Plan</th>
            <th>Status</th>
            <th>Due</th>
            <th>Assignee</th>
            <th>Priority</th>
            <th>Region</th>
            <th>Received</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td>
                <Link to={`/desk/requests/${row.id}`}>{row.company}</Link>
              </td>
              <td>{row.plan}</td>
              <td>{row.status}</td>
              <td>{row.due_at?.toISOString()}</td>
              <td>{row.assignee ?? "Nobody"}</td>
              <td>{row.priority}</td>
              <td>{row.region}</td>
              <td>{row.created_at.toISOString()}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}

/** One side of the bench `web`: the queue's rows as a page, by Node.js and pg alone. */
import { createServer } from "node:http";
import pg from "pg";
import { serveBare } from "../serve-bare.ts";
import { firstRows, type QueueRow } from "./rows.ts";

const MARKUP: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const text = (value: string) => value.replace(/[&<>"]/g, (letter) => MARKUP[letter] ?? letter);

const row = (request: QueueRow) => `<tr>
<td><a href="/desk/requests/${request.id}">${text(request.company)}</a></td>
<td>${text(request.plan)}</td>
<td>${request.status}</td>
<td>${request.due_at?.toISOString() ?? ""}</td>
<td>${text(request.assignee ?? "Nobody")}</td>
<td>${request.priority}</td>
<td>${text(request.region)}</td>
<td>${request.created_at.toISOString()}</td>
</tr>`;

const page = (rows: QueueRow[]) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Queue</title></head>
<body><h1>Queue</h1><table>
<thead><tr><th>Company</th><th>Plan</th><th>Status</th><th>Due</th><th>Assignee</th><th>Priority</th><th>Region</th><th>Received</th></tr></thead>
<tbody>${rows.map(row).join("")}</tbody></table></body></html>`;

/** This file, as a process of its own. */
export const bareNode = import.meta.filename;

if (import.meta.main) {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  await serveBare(
    createServer((_request, response) => {
      firstRows(pool).then(
        (rows) => {
          response.setHeader("Content-Type", "text/html; charset=utf-8");
          response.end(page(rows));
        },
        () => response.writeHead(500).end(),
      );
    }),
  );
}

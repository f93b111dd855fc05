import { Form, Link, useNavigate } from "@remix-run/react";
import type { KeyboardEvent, MouseEvent } from "react";
import type { DeskRow } from "#app/domain/queue/index.server.ts";
import { SubmitButton } from "../form.tsx";
import { DueBar, PriorityBadge, priorityWord, StatusBadge } from "../status.tsx";
import { RelativeTime } from "../time.tsx";
import { Badge, Mono } from "../ui.tsx";
import type { HeldRow } from "./merge-rows.ts";

/** A row with the place of its region in words. */
export type QueueRow = DeskRow & { regionName: string };

const pageOf = (requestId: string) => `/desk/requests/${requestId}`;

/** Columns that a narrow window leaves out; a request's own page has them. */
const WIDE = "max-[1400px]:hidden";
const HEAD =
  "sticky top-0 z-10 h-9 border-b border-base-300 bg-base-200 px-3 text-left font-medium text-quiet whitespace-nowrap";
const CELL =
  "h-9 px-3 py-0 whitespace-nowrap xl:border-b xl:border-base-300 max-xl:h-auto max-xl:px-0";

/**
 * The queue: a table, which a narrow window folds into a list of compact rows. Every row is reached
 * by its link; j and k, or the arrows, go from one to the next.
 */
export function QueueTable(props: {
  rows: HeldRow<QueueRow>[];
  body: React.RefObject<HTMLTableSectionElement>;
  me: string;
  /** What the last time of a row is: when it was received, or when it ended. */
  isEnded: boolean;
}) {
  const { rows, body, me, isEnded } = props;
  return (
    <table className="w-full border-separate border-spacing-0 max-xl:block">
      <caption className="sr-only">Requests</caption>
      <thead className="max-xl:sr-only">
        <tr>
          <th scope="col" className={`${HEAD} min-w-48 rounded-tl-box`}>
            Company
          </th>
          <th scope="col" className={HEAD}>
            Status
          </th>
          <th scope="col" className={HEAD}>
            {isEnded ? "Promise" : "Due"}
          </th>
          <th scope="col" className={HEAD}>
            Assignee
          </th>
          <th scope="col" className={HEAD}>
            Priority
          </th>
          <th scope="col" className={`${HEAD} ${WIDE}`}>
            Region
          </th>
          <th scope="col" className={`${HEAD} rounded-tr-box`}>
            {isEnded ? "Ended" : "Received"}
          </th>
        </tr>
      </thead>
      <tbody ref={body} className="max-xl:block" onKeyDown={goAlong}>
        {rows.map((row) => (
          <Row key={row.requestId} row={row} me={me} isEnded={isEnded} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ row, me, isEnded }: { row: HeldRow<QueueRow>; me: string; isEnded: boolean }) {
  const navigate = useNavigate();
  const { requestId, company, plan, priority, region, regionName, gone } = row;
  // The link is for everybody; a press anywhere else in the row is a convenience.
  const open = (event: MouseEvent<HTMLElement>) => {
    const isElse = (event.target as HTMLElement).closest("a, button, form, time");
    if (isElse || event.ctrlKey || event.metaKey || getSelection()?.toString()) return;
    navigate(pageOf(requestId));
  };
  return (
    <tr
      data-request={requestId}
      onClick={open}
      className={`cursor-pointer hover:bg-base-200 has-[a:focus-visible]:bg-base-200 max-xl:grid max-xl:grid-cols-[minmax(0,1fr)_auto] max-xl:items-center max-xl:gap-x-3 max-xl:gap-y-1 max-xl:border-b max-xl:border-base-300 max-xl:py-2.5 ${gone ? "text-quiet" : ""}`}
    >
      <td className={`${CELL} w-full max-w-0 min-w-48 max-xl:max-w-none`}>
        <span className="flex min-w-0 items-baseline gap-2">
          <Link
            to={pageOf(requestId)}
            data-row-link=""
            className="truncate font-medium hover:underline"
            title={company}
          >
            {company}
          </Link>
          <span className="shrink-0 text-quiet max-sm:hidden">{plan}</span>
        </span>
      </td>
      <td className={`${CELL} max-xl:order-3`}>
        {gone ? (
          <Badge tone="neutral">No longer in this list</Badge>
        ) : (
          <StatusBadge status={row.status} />
        )}
        {priority === "normal" ? null : (
          <span className="ml-1.5 xl:hidden">
            <PriorityBadge priority={priority} />
          </span>
        )}
      </td>
      <td className={`${CELL} max-xl:order-2 max-xl:justify-self-end`}>
        <PromiseCell row={row} isEnded={isEnded} />
      </td>
      <td className={`${CELL} max-xl:order-4 max-xl:justify-self-end`}>
        <AssigneeCell row={row} me={me} />
      </td>
      <td className={`${CELL} max-xl:hidden`}>
        <PriorityWord priority={priority} />
      </td>
      <td className={`${CELL} ${WIDE} max-xl:hidden`} title={regionName}>
        <Mono>{region}</Mono>
      </td>
      <td className={`${CELL} text-quiet max-xl:hidden`}>
        <RelativeTime at={(isEnded ? row.endedAt : null) ?? row.createdAt} />
      </td>
    </tr>
  );
}

/** What is ordinary is said quietly, so that the rest stands out. */
function PriorityWord({ priority }: Pick<QueueRow, "priority">) {
  if (priority === "normal") return <span className="text-quiet">{priorityWord(priority)}</span>;
  return <PriorityBadge priority={priority} />;
}

/** What is promised; of an ended request, whether it was kept. */
function PromiseCell({ row, isEnded }: { row: QueueRow; isEnded: boolean }) {
  const { status, dueAt, createdAt, dueState, endedAt } = row;
  if (endedAt === null) return <DueBar dueAt={dueAt} createdAt={createdAt} state={dueState} />;
  if (status !== "completed" || dueAt === null) return <span className="text-quiet">–</span>;
  const isKept = endedAt <= dueAt;
  return (
    <Badge tone={isKept ? "success" : "error"}>
      {isKept ? "Kept" : "Broken"}
      {isEnded ? "" : " promise"}
    </Badge>
  );
}

/** Who has it; where nobody has, a way to take it. */
function AssigneeCell({ row, me }: { row: HeldRow<QueueRow>; me: string }) {
  const { requestId, company, status, assignee, claimEnded, gone } = row;
  if (!gone && (status === "pending" || claimEnded)) {
    return (
      <Form method="post" preventScrollReset className="-ml-2.5 max-xl:ml-0">
        <input type="hidden" name="intent" value="claim" />
        <SubmitButton
          variant="quiet"
          size="sm"
          name="requestId"
          value={requestId}
          pendingText="Claiming …"
          className="px-2.5 text-primary xl:h-7"
          aria-label={`Claim ${company}`}
        >
          Claim
        </SubmitButton>
      </Form>
    );
  }
  if (!assignee) return <span className="text-quiet">Nobody</span>;
  const isMe = assignee.id === me;
  return (
    <span
      className={`inline-block max-w-36 truncate align-middle ${isMe ? "font-medium" : ""}`}
      title={assignee.name}
    >
      {isMe ? "You" : assignee.name}
    </span>
  );
}

/** j or ↓: the next row; k or ↑: the one before. */
function goAlong(event: KeyboardEvent<HTMLElement>): void {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-row-link]")];
  const row = (event.target as HTMLElement).closest("tr");
  const at = links.findIndex((link) => row?.contains(link));
  const next = links[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

import { Form, Link, useNavigate } from "@remix-run/react";
import type { KeyboardEvent, MouseEvent } from "react";
import type { DeskRow } from "#app/domain/queue/index.server.ts";
import { SubmitButton } from "../form.tsx";
import { DueBar, PriorityBadge, priorityWord, StatusBadge, StatusIcons } from "../status.tsx";
import { RelativeTime } from "../time.tsx";
import { Badge, Mono } from "../ui.tsx";
import type { HeldRow } from "./merge-rows.ts";

/** A row with the place of its region in words. */
export type QueueRow = DeskRow & { regionName: string };

const pageOf = (requestId: string) => `/desk/requests/${requestId}`;

const HEAD =
  "sticky top-0 z-10 h-9 border-b border-base-300 bg-base-200 px-3 text-left font-medium text-quiet whitespace-nowrap";
/** Columns that a narrow window leaves out; a request's own page has them. */
const WIDE = "max-[1400px]:hidden";

/** How rows and cells look, said once for all of them: fifty rows would repeat it 400 times. */
const ROWS = [
  "[&>tr]:cursor-pointer [&>tr]:hover:bg-base-200 [&>tr]:has-[a:focus-visible]:bg-base-200",
  "max-xl:[&>tr]:grid max-xl:[&>tr]:grid-cols-[minmax(0,1fr)_auto] max-xl:[&>tr]:items-center max-xl:[&>tr]:gap-x-3 max-xl:[&>tr]:gap-y-1 max-xl:[&>tr]:border-b max-xl:[&>tr]:border-base-300 max-xl:[&>tr]:py-2.5",
  "xl:[&_td]:h-9 xl:[&_td]:px-3 [&_td]:py-0 [&_td]:whitespace-nowrap xl:[&_td]:border-b xl:[&_td]:border-base-300",
].join(" ");
/** The columns where they differ, in the order of the head. */
const CELLS = {
  company: "w-full max-w-0 min-w-48 max-xl:max-w-none",
  status: "max-xl:order-3",
  promise: "max-xl:order-2 max-xl:justify-self-end",
  assignee: "max-xl:order-4 max-xl:justify-self-end",
  priority: "max-xl:hidden",
  region: WIDE,
  time: "text-quiet max-xl:hidden",
};

/** The one form behind all the buttons that claim. */
const CLAIM = "claim";

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
  const navigate = useNavigate();
  // The link is for everybody; a press anywhere else in the row is a convenience.
  const open = (event: MouseEvent<HTMLElement>) => {
    const pressed = event.target as HTMLElement;
    const isElse = pressed.closest("a, button, time");
    if (isElse || event.ctrlKey || event.metaKey || getSelection()?.toString()) return;
    const requestId = pressed.closest("tr")?.dataset.request;
    if (requestId) navigate(pageOf(requestId));
  };
  return (
    <>
      <Form method="post" id={CLAIM} preventScrollReset>
        <input type="hidden" name="intent" value="claim" />
      </Form>
      <StatusIcons />
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
        <tbody ref={body} className={`max-xl:block ${ROWS}`} onKeyDown={goAlong} onClick={open}>
          {rows.map((row) => (
            <Row key={row.requestId} row={row} me={me} isEnded={isEnded} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ row, me, isEnded }: { row: HeldRow<QueueRow>; me: string; isEnded: boolean }) {
  const { requestId, company, plan, priority, region, regionName, gone } = row;
  return (
    <tr data-request={requestId} className={gone ? "text-quiet" : undefined}>
      <td className={CELLS.company}>
        <span className="flex min-w-0 items-baseline gap-2">
          <Link
            to={pageOf(requestId)}
            data-row-link=""
            className="truncate font-medium hover:underline"
            title={company}
          >
            <bdi>{company}</bdi>
          </Link>
          <span className="shrink-0 text-quiet max-sm:hidden">{plan}</span>
        </span>
      </td>
      <td className={CELLS.status}>
        {gone ? (
          <Badge tone="neutral">No longer in this list</Badge>
        ) : (
          <StatusBadge status={row.status} failureCode={row.failureCode} isListed />
        )}
        {priority === "normal" ? null : (
          <span className="ml-1.5 xl:hidden">
            <PriorityBadge priority={priority} isListed />
          </span>
        )}
      </td>
      <td className={CELLS.promise}>
        <PromiseCell row={row} isEnded={isEnded} />
      </td>
      <td className={CELLS.assignee}>
        <AssigneeCell row={row} me={me} />
      </td>
      <td className={CELLS.priority}>
        <PriorityWord priority={priority} />
      </td>
      <td className={CELLS.region} title={regionName}>
        <Mono>{region}</Mono>
      </td>
      <td className={CELLS.time}>
        <RelativeTime at={(isEnded ? row.endedAt : null) ?? row.createdAt} />
      </td>
    </tr>
  );
}

/** What is ordinary is said quietly, so that the rest stands out. */
function PriorityWord({ priority }: Pick<QueueRow, "priority">) {
  if (priority === "normal") return <span className="text-quiet">{priorityWord(priority)}</span>;
  return <PriorityBadge priority={priority} isListed />;
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
      <SubmitButton
        form={CLAIM}
        variant="quiet"
        size="sm"
        name="requestId"
        value={requestId}
        pendingText="Claiming …"
        className="px-2.5 text-primary xl:-ml-2.5 xl:h-7"
        aria-label={`Claim ${company}`}
      >
        Claim
      </SubmitButton>
    );
  }
  if (!assignee) return <span className="text-quiet">Nobody</span>;
  const isMe = assignee.id === me;
  return (
    <span
      className={`inline-block max-w-36 truncate align-middle ${isMe ? "font-medium" : ""}`}
      title={assignee.name}
    >
      {isMe ? "You" : <bdi>{assignee.name}</bdi>}
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

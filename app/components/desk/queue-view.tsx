import { Link } from "@remix-run/react";
import { type ReactNode, useRef } from "react";
import { Pager } from "../table.tsx";
import { Button, ButtonLink, EmptyState } from "../ui.tsx";
import { type QueueRow, QueueTable } from "./queue-table.tsx";
import { useHeldRows } from "./use-held-rows.ts";

export interface QueuePage {
  rows: QueueRow[];
  order: "due" | "ended" | "received";
  nextCursor: string | null;
  previousCursor: string | null;
}

const ORDERS = {
  due: "The oldest promise first.",
  ended: "What ended last comes first.",
  received: "The newest first.",
};

/** A page of the queue, which stands still while somebody is at it. */
export function QueueView(props: {
  page: QueuePage;
  params: URLSearchParams;
  isFiltered: boolean;
  me: string;
  live: ReactNode;
}) {
  const { page, params, isFiltered, me, live } = props;
  const { rows, changes, show, hold, body } = useHeldRows(params.toString(), page.rows);
  const area = useRef<HTMLDivElement>(null);
  const showNow = () => {
    show();
    area.current?.focus();
  };
  return (
    <div ref={area} tabIndex={-1} className="mt-3 outline-none">
      <div className="flex min-h-9 flex-wrap items-center justify-between gap-x-4 text-quiet">
        <p>{rows.length > 0 ? ORDERS[page.order] : null}</p>
        <div className="flex items-center gap-3">
          <div aria-live="polite">
            {changes > 0 ? (
              <Button size="sm" onClick={showNow}>
                {changes === 1 ? "1 change" : `${changes} changes`} — show
              </Button>
            ) : null}
          </div>
          {live}
        </div>
      </div>
      {rows.length > 0 ? (
        <div {...hold}>
          <QueueTable rows={rows} body={body} me={me} isEnded={page.order === "ended"} />
        </div>
      ) : (
        <Nothing isFiltered={isFiltered} />
      )}
      <Pager nextCursor={page.nextCursor} previousCursor={page.previousCursor} params={params} />
    </div>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <EmptyState
        title="No request matches these filters"
        action={<ButtonLink to="?">Clear filters</ButtonLink>}
      >
        Remove a filter, or look for the beginning of a word in the company’s name, the contact’s
        name or the whole e-mail address.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="The queue is empty">
      Requests appear here by themselves when a customer submits one, the most urgent first. What is
      finished is under{" "}
      <Link to="?status=completed" className="link link-primary">
        Ready
      </Link>
      .
    </EmptyState>
  );
}

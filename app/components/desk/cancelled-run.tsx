import type { ReactNode } from "react";
import type { RunReport, WhatStays } from "#app/domain/provisioning/index.server.ts";
import { StayList } from "./stay-list.tsx";

/** A run that a person ended: what became of the step in progress, what stays, what can be done. */
export function CancelledRun(props: {
  run: RunReport;
  /** Null where it is not to be listed: the request went on since. */
  stays: WhatStays[] | null;
  /** The request was closed after it. */
  isClosed: boolean;
  acts: ReactNode;
}) {
  const { run, stays, isClosed, acts } = props;
  const found = run.error?.found ?? "";
  return (
    <section aria-label="The cancelled run" className="mb-6 border-l-4 border-base-300 pl-4">
      {found ? (
        <p className="mb-3">{`${found.charAt(0).toUpperCase()}${found.slice(1)}.`}</p>
      ) : null}
      {acts ? <div className="my-4 flex flex-wrap items-center gap-3">{acts}</div> : null}
      {stays ? (
        <h2 className="mb-1 font-semibold">
          {isClosed ? "What stays in the project" : "What is in the project so far"}
        </h2>
      ) : null}
      <StayList stays={stays} />
    </section>
  );
}

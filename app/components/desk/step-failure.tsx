import type { ReactNode } from "react";
import type { Excerpt } from "#app/domain/provisioning/index.server.ts";
import type { StepError } from "#db/provisioning.ts";
import { Mono } from "../ui.tsx";
import { DriftDifference } from "./drift-difference.tsx";
import { OutsideLink } from "./outside-link.tsx";
import { headlineOf } from "./run-words.ts";

/**
 * Why a step did not end well: first what was found, is needed and is to be done, then the rest.
 * @param props.known the differences that were accepted earlier
 */
export function StepFailure(props: {
  error: StepError;
  excerpt: Excerpt | null;
  acts: ReactNode;
  known?: readonly string[] | undefined;
}) {
  const { error, excerpt, acts, known } = props;
  const headline = headlineOf(error);
  const { code, found, needed, fix, link, sqlstate, file, line, statement, detail, hint } = error;
  const { difference } = error;
  const edge = code === "needs_person" ? "border-warning" : "border-error";
  const where = file === undefined ? undefined : line === undefined ? file : `${file}:${line}`;
  return (
    <div className={`border-l-4 pl-4 ${edge}`}>
      <p className="font-semibold wrap-anywhere">{headline}</p>
      <dl className="mt-2 grid max-w-3xl gap-x-4 gap-y-1 wrap-anywhere sm:grid-cols-[6.5rem_minmax(0,1fr)]">
        {/* The list of differences says it in full. */}
        <Fact label="Found">{difference || found === headline ? null : found}</Fact>
        <Fact label="Needed">{needed}</Fact>
        <Fact label="What to do">
          {fix ? <strong className="font-semibold">{fix}</strong> : null}
        </Fact>
        {link ? (
          <Fact label="Where">
            <OutsideLink to={link}>Open the setting at Supabase</OutsideLink>
          </Fact>
        ) : null}
      </dl>
      {difference ? <DriftDifference lines={difference} known={known} /> : null}
      <div className="my-4 flex flex-wrap items-center gap-3 empty:my-2">{acts}</div>
      <dl className="grid max-w-3xl gap-x-4 gap-y-1 text-quiet wrap-anywhere sm:grid-cols-[6.5rem_minmax(0,1fr)]">
        <Fact label="SQLSTATE">{sqlstate ? <Mono>{sqlstate}</Mono> : null}</Fact>
        <Fact label="File">{where ? <Mono>{where}</Mono> : null}</Fact>
        <Fact label="Statement">
          {statement === undefined ? null : `${statement}, counted from the top of the file`}
        </Fact>
        <Fact label="Detail">{detail === found ? null : detail}</Fact>
        <Fact label="Hint">{hint === fix ? null : hint}</Fact>
        <Fact label="Code">
          <Mono>{code}</Mono>
        </Fact>
      </dl>
      {excerpt ? <Statement excerpt={excerpt} file={file ?? ""} /> : null}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <div className="contents">
      <dt className="text-quiet">{label}</dt>
      <dd className="min-w-0 max-sm:mb-1">{children}</dd>
    </div>
  );
}

/** The statement as it stands in the file, its lines numbered, the failed one marked. */
function Statement({ excerpt, file }: { excerpt: Excerpt; file: string }) {
  const { from, lines, line } = excerpt;
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable
      tabIndex={0}
      aria-label={`Line ${line} of ${file}, with its statement`}
      className="mt-3 overflow-x-auto rounded-box border border-base-300 bg-base-200 py-2 font-mono text-xs/5"
    >
      <ol className="w-max min-w-full">
        {lines.map((text, index) => {
          const number = from + index;
          const isFailed = number === line;
          return (
            <li
              key={number}
              data-failed={isFailed || undefined}
              className={`flex whitespace-pre ${isFailed ? "bg-error/15 font-semibold" : ""}`}
            >
              <span
                aria-hidden="true"
                className={`sticky left-0 w-14 shrink-0 pr-3 text-right select-none ${
                  isFailed ? "text-error" : "text-quiet"
                }`}
              >
                {isFailed ? "▸ " : ""}
                {number}
              </span>
              {isFailed ? <span className="sr-only">Failed here: </span> : null}
              <code className="pr-4">{text || " "}</code>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

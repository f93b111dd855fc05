import { Link } from "@remix-run/react";
import { Download } from "lucide-react";
import type { ReactNode } from "react";
import type { RunName, RunReport } from "#app/domain/provisioning/index.server.ts";
import { Duration, RelativeTime } from "../time.tsx";
import { Badge, buttonClass } from "../ui.tsx";
import { leftWords, takesLonger } from "./run-expectation.ts";
import { lookOf, RUN_LOOKS, runSentence } from "./run-words.ts";
import { useRunClock } from "./use-run-clock.ts";

/** Where the run stands, when it began, how long it took, what it installs. */
export function RunSummary(props: {
  run: RunReport;
  runs: RunName[];
  page: string;
  /** The place of the first step that did not end well. */
  blamed: number | undefined;
  /** What can be done about a run that goes on. */
  children: ReactNode;
}) {
  const { run, runs, page, blamed, children } = props;
  const { word, tone, icon } = lookOf(run);
  const isNewest = run.runId === runs[0]?.runId;
  const step = run.steps.find(({ position }) => position === blamed);
  const now = useRunClock(run);
  const end = run.endedAt ? Date.parse(run.endedAt) : now;
  const took = run.startedAt ? end - Date.parse(run.startedAt) : null;
  return (
    <section aria-label="Summary" className="mb-5 border-t border-base-300 pt-4">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Badge tone={tone} icon={icon}>
              {word}
            </Badge>
            <span>{runSentence(run, isNewest)}</span>
          </p>
          {step ? (
            <p className="mt-1">
              <a href={`#step-${step.position + 1}`} className="link link-primary">
                See what happened at “{step.name}”
              </a>
            </p>
          ) : null}
        </div>
        <div className="flex flex-wrap gap-2">
          <Link
            to={`${page}/run/log?run=${run.runId}`}
            reloadDocument
            className={buttonClass("secondary", "sm")}
          >
            <Download size={14} aria-hidden="true" />
            Download the log
          </Link>
          {children}
        </div>
      </div>
      <dl className="mt-4 grid grid-cols-2 gap-x-8 gap-y-3 sm:flex sm:flex-wrap">
        <Fact label="Started">
          {run.startedAt ? <RelativeTime at={run.startedAt} /> : "not yet"}
        </Fact>
        <Fact label={run.endedAt ? "Took" : "So far"}>
          {took === null ? "–" : <Duration ms={took} />}
        </Fact>
        <TimeLeft run={run} now={now} />
        <Fact label="Worker take-overs">{takeovers(run.takeovers)}</Fact>
        <Fact label="Templates">
          {Object.entries(run.templates)
            .map(([name, version]) => `${name} ${version}`)
            .join(", ")}
        </Fact>
      </dl>
      {runs.length > 1 ? <Runs run={run} runs={runs} page={page} /> : null}
    </section>
  );
}

/** By what the steps took in earlier runs; nothing where nobody knows. */
function TimeLeft({ run, now }: { run: RunReport; now: number }) {
  const left = leftWords(run, now);
  if (run.cancelRequested) return null;
  if (takesLonger(run, now)) return <Fact label="This step takes">longer than usual</Fact>;
  if (left === null) return null;
  return <Fact label={run.status === "queued" ? "Usually takes" : "Left"}>{left}</Fact>;
}

function takeovers(count: number): string {
  if (count === 0) return "none";
  return `${count} (${count === 1 ? "a worker was" : "workers were"} lost on the way)`;
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0 last:max-sm:col-span-2">
      <dt className="text-xs text-quiet">{label}</dt>
      <dd className="tabular-nums wrap-anywhere">{children}</dd>
    </div>
  );
}

/** All runs of the request: a retry makes a new one. */
function Runs({ run, runs, page }: { run: RunReport; runs: RunName[]; page: string }) {
  return (
    <nav aria-label="Runs of this request" className="mt-4">
      <ul className="flex flex-wrap gap-2">
        {runs.map(({ runId, number, status }) => {
          const isShown = runId === run.runId;
          return (
            <li key={runId}>
              <Link
                to={number === runs.length ? `${page}/run` : `${page}/run?run=${runId}`}
                aria-current={isShown ? "page" : undefined}
                className={`inline-flex min-h-7 items-center rounded-field border px-2.5 text-xs ${
                  isShown
                    ? "border-primary font-semibold text-primary"
                    : "border-base-300 text-quiet hover:text-base-content"
                }`}
              >
                Run {number}: {RUN_LOOKS[status].word.toLowerCase()}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { StepEffects } from "#db/provisioning.ts";
import { formatDuration } from "../time.tsx";
import { Mono } from "../ui.tsx";
import { count, expectedWords, limitWords, type PlanStep } from "./plan-words.ts";

/**
 * The strongest lock that a file takes on what exists, by PostgreSQL's own name for it, and how many
 * more there are.
 */
export function StrongestLock({ effects }: { effects: StepEffects }) {
  const [first, ...others] = effects.locks;
  if (!first) return <span className="text-quiet">none on what exists</span>;
  return (
    <>
      <span className="whitespace-nowrap">{first.mode}</span> on <Mono>{first.relation}</Mono>
      {others.length > 0 ? <span className="text-quiet">, and {others.length} more</span> : null}
    </>
  );
}

/** Tables that a file writes anew as a whole: slow where they are large, and closed meanwhile. */
export function Rewrites({ effects }: { effects: StepEffects }) {
  return (
    <>
      {effects.rewrites.map(({ relation, line, why }) => (
        <p key={`${relation} ${line}`} className="flex gap-1.5 font-medium text-warning">
          <TriangleAlert size={14} aria-hidden="true" className="mt-1 shrink-0" />
          <span className="min-w-0 wrap-anywhere">
            Rewrites <Mono>{relation}</Mono>: {why}
          </span>
        </p>
      ))}
    </>
  );
}

/** What was planned for a file: what it is, what it locks and rewrites, how long it may take. */
export function PlannedFacts({ step, effects }: { step: PlanStep; effects: StepEffects }) {
  const { file, ledgerVersion, planned, expectedMs } = step;
  const limit = limitWords(effects) || `at most ${formatDuration(effects.timeoutMs)} per statement`;
  const facts: [string, ReactNode][] = [
    [
      "File",
      <Mono key="file">
        {file}
        {ledgerVersion ? `, version ${ledgerVersion}` : ""}
      </Mono>,
    ],
    [
      "Planned",
      `${count(effects.statements, "statement")}${effects.transactional ? "" : ", without a transaction"}${planned === "applied" ? "; was applied already" : ""}`,
    ],
    ["Locks", <LockList key="locks" effects={effects} />],
    ...(effects.rewrites.length > 0
      ? [["Rewrites", <Rewrites key="rewrites" effects={effects} />] as [string, ReactNode]]
      : []),
    ["Time", [expectedWords(expectedMs), limit].filter(Boolean).join("; ")],
  ];
  return (
    <dl className="grid max-w-3xl gap-x-4 gap-y-1 text-quiet wrap-anywhere sm:grid-cols-[6.5rem_minmax(0,1fr)]">
      {facts.map(([label, value]) => (
        <div key={label} className="contents">
          <dt>{label}</dt>
          <dd className="min-w-0 text-base-content max-sm:mb-1">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** All locks of a file, each with the line that takes it. */
function LockList({ effects }: { effects: StepEffects }): ReactNode {
  if (effects.locks.length === 0) return "none on what exists";
  return (
    <ul>
      {effects.locks.map(({ relation, mode, line }) => (
        <li key={relation}>
          {mode} on <Mono>{relation}</Mono>, line {line}
        </li>
      ))}
    </ul>
  );
}

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
  if (!first) return effects.unseen?.length ? null : <NoLocks />;
  return (
    <>
      <span className="whitespace-nowrap">{first.mode}</span> on <Mono>{first.relation}</Mono>
      {others.length > 0 ? <span className="text-quiet">, and {others.length} more</span> : null}
    </>
  );
}

const NoLocks = () => <span className="text-quiet">none on what exists</span>;

/**
 * Where the text cannot tell what a file locks.
 * @param most how many to show, the rest only counted
 */
export function Unseen(props: { effects: StepEffects; most?: number }) {
  const { unseen = [] } = props.effects;
  const shown = unseen.slice(0, props.most);
  const left = unseen.length - shown.length;
  return (
    <>
      {shown.map(({ line, what }) => (
        <p key={`${line} ${what}`} className="wrap-anywhere">
          line {line}: {what}; its locks cannot be known from the text
        </p>
      ))}
      {left > 0 ? <p className="text-quiet">and {left} more of this kind</p> : null}
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
export function PlannedFacts(props: {
  step: PlanStep;
  effects: StepEffects;
  /** The file is named above. */
  isFileTold: boolean;
}) {
  const { step, effects, isFileTold } = props;
  const { planned, expectedMs } = step;
  const limit = limitWords(effects) || `at most ${formatDuration(effects.timeoutMs)} per statement`;
  const facts: [string, ReactNode][] = [
    ...(isFileTold ? [] : [["File", <FileName key="file" step={step} />] as [string, ReactNode]]),
    [
      "Planned",
      `${count(effects.statements, "statement")}${effects.transactional ? "" : ", without a transaction"}${planned === "applied" ? "; was applied already" : ""}`,
    ],
    ["Locks", <LockList key="locks" effects={effects} />],
    ...(effects.rewrites.length > 0
      ? [["Rewrites", <Rewrites key="rewrites" effects={effects} />] as [string, ReactNode]]
      : []),
    ...(effects.unseen?.length
      ? [["Not known", <Unseen key="unseen" effects={effects} />] as [string, ReactNode]]
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

function FileName({ step: { file, ledgerVersion } }: { step: PlanStep }) {
  return <Mono>{`${file}${ledgerVersion ? `, version ${ledgerVersion}` : ""}`}</Mono>;
}

/** All locks of a file, each with the line that takes it. */
function LockList({ effects }: { effects: StepEffects }): ReactNode {
  if (effects.locks.length === 0) {
    return effects.unseen?.length ? "none that the text tells of" : "none on what exists";
  }
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

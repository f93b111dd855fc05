import { ChevronRight, CircleCheck, CircleX } from "lucide-react";
import type { ReactNode } from "react";
import { Table } from "../table.tsx";
import { Badge, Mono } from "../ui.tsx";
import {
  commonLimit,
  count,
  expectedWords,
  groupFacts,
  limitWords,
  mustBeSeen,
  type PlanStep,
  pathWords,
  planSentence,
  type ShownPlan,
  strangerWords,
} from "./plan-words.ts";
import { Fold } from "./run-fold.tsx";
import { fileWords, groupSteps, type StepGroup, stepTitle } from "./run-groups.ts";
import { Rewrites, StrongestLock, Unseen } from "./step-effects.tsx";

/** What a run comes to, before it is started, and what is strange in the database. */
export function PlanSummary({ plan }: { plan: ShownPlan }) {
  return (
    <>
      <p className="tabular-nums">{planSentence(plan)}</p>
      {plan.strangers.length > 0 ? (
        <p className="mt-2 font-medium text-warning">
          {strangerWords(plan.strangers)} <Mono>{plan.strangers.join(", ")}</Mono>
        </p>
      ) : null}
    </>
  );
}

/**
 * Every step of a run, the files of a feature as one row that opens: what they do to what exists, how
 * long they take. One of which a person must see something is open.
 */
export function PlanTable({ plan }: { plan: ShownPlan }) {
  return (
    <section
      aria-label="The steps of the run"
      className="rounded-box border border-base-300 tabular-nums"
    >
      <ol>
        {groupSteps(plan.steps).map((group) => (
          <li
            key={group.steps[0].name}
            data-planned={commonStanding(group.steps)}
            className="not-last:border-b border-base-300"
          >
            {group.steps.length === 1 ? (
              <div className={`${ROW} px-3 py-1.5`}>
                <span />
                <Single step={group.steps[0]} />
              </div>
            ) : (
              <Group group={group} />
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Whether it opens, name and standing, what it does; on a narrow screen that has a line of its own. */
const ROW =
  "grid min-h-9 grid-cols-[0.875rem_minmax(0,1fr)] items-baseline gap-x-2 lg:grid-cols-[0.875rem_minmax(0,22rem)_minmax(0,1fr)]";
const FACTS = "min-w-0 text-quiet max-lg:col-start-2 max-lg:text-xs/5";

const commonStanding = (steps: readonly PlanStep[]) => {
  const [first] = steps;
  return steps.every(({ planned }) => planned === first?.planned)
    ? (first?.planned ?? undefined)
    : undefined;
};

function Single({ step }: { step: PlanStep }) {
  const { file, planned, effects } = step;
  const facts = groupFacts([step]);
  const isToDo = (planned ?? "apply") === "apply";
  return (
    <>
      <span className="flex min-w-0 flex-wrap items-center gap-x-2">
        <span>
          {stepTitle(step)}
          {step.kind !== "storage" && step.about ? `: ${step.about}` : ""}
        </span>
        <Standing planned={planned} />
      </span>
      <span className={FACTS}>
        {file ? <span className="mr-3 font-mono text-xs wrap-break-word">{file}</span> : null}
        {facts.join(" · ")}
        {effects && isToDo && (mustBeSeen(step) || effects.unseen?.length) ? (
          <span className="block text-base-content">
            <StrongestLock effects={effects} />
            <Rewrites effects={effects} />
            <Unseen effects={effects} most={2} />
          </span>
        ) : null}
      </span>
    </>
  );
}

function Group({ group: { title, steps } }: { group: StepGroup<PlanStep> }) {
  const standing = commonStanding(steps);
  const [{ file }] = steps;
  return (
    <Fold
      isUrgent={steps.some(mustBeSeen)}
      className="group/fold"
      summary={
        <summary className="list-none px-3 py-1.5 hover:bg-base-200">
          <span className={ROW}>
            <ChevronRight
              size={14}
              aria-hidden="true"
              className="mt-1 self-start text-quiet transition-transform duration-150 group-open/fold:rotate-90"
            />
            <span className="flex min-w-0 flex-wrap items-center gap-x-2">
              <span>
                {title}
                <span className="text-quiet"> · {count(steps.length, "file")}</span>
              </span>
              <Standing planned={standing} />
            </span>
            <span className={FACTS}>{groupFacts(steps).join(" · ")}</span>
          </span>
        </summary>
      }
    >
      <div className="px-3 pb-3 lg:pl-9">
        <p className="mb-1 text-xs text-quiet">
          From <span className="font-mono">{pathWords(file)}</span>
        </p>
        <FileTable title={title} steps={steps} />
      </div>
    </Fold>
  );
}

/** The files of a group. What all of them share stands above. */
function FileTable({ title, steps }: { title: string; steps: readonly PlanStep[] }) {
  const limit = commonLimit(steps);
  const isMixed = commonStanding(steps) === undefined;
  const hasTimes = steps.some((step) => timeWords(step, limit) !== "");
  return (
    <Table caption={`Files of ${title}`} foldBelow="xl">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col">Version</th>
          <th scope="col">Statements</th>
          <th scope="col">Strongest lock</th>
          {hasTimes ? <th scope="col">Takes</th> : null}
        </tr>
      </thead>
      <tbody>
        {steps.map((step) => (
          <FileRow
            key={step.name}
            step={step}
            isMixed={isMixed}
            time={hasTimes ? timeWords(step, limit) : null}
          />
        ))}
      </tbody>
    </Table>
  );
}

/** Longer than this is worth a word of its own, in milliseconds. */
const LONG_MS = 1_000;

/** How long a file takes, where that is not what its group says already. */
function timeWords({ effects, expectedMs }: PlanStep, limit: number | null): string {
  const own = effects && effects.timeoutMs !== limit ? limitWords(effects, true) : "";
  return [(expectedMs ?? 0) >= LONG_MS ? expectedWords(expectedMs) : "", own]
    .filter(Boolean)
    .join(", ");
}

function FileRow(props: {
  step: PlanStep;
  /** Others of the group stand otherwise, so that each says how it does. */
  isMixed: boolean;
  /** Null where no file of the group has one of its own. */
  time: string | null;
}) {
  const { step, isMixed, time } = props;
  const { ledgerVersion, planned, effects } = step;
  return (
    <tr data-planned={planned ?? undefined}>
      <th scope="row" className="font-normal xl:min-w-64">
        <span className="flex flex-wrap items-center gap-x-2">
          {fileWords(step)}
          {isMixed ? <Standing planned={planned} /> : null}
        </span>
      </th>
      <Cell label="Version">
        {ledgerVersion ? (
          <span className="font-mono whitespace-nowrap">{ledgerVersion}</span>
        ) : null}
      </Cell>
      <Cell label="Statements">
        {effects ? (
          <>
            {effects.statements}
            {effects.transactional ? null : (
              <span className="block font-medium text-warning max-xl:inline">
                <span className="xl:hidden">, </span>without a transaction
              </span>
            )}
          </>
        ) : null}
      </Cell>
      <Cell
        label="Strongest lock"
        isWide={Boolean(effects?.rewrites.length || effects?.unseen?.length)}
      >
        {effects && (planned ?? "apply") === "apply" ? (
          <>
            <StrongestLock effects={effects} />
            <Rewrites effects={effects} />
            <Unseen effects={effects} most={2} />
          </>
        ) : null}
      </Cell>
      {time === null ? null : <Cell label="Takes">{time || null}</Cell>}
    </tr>
  );
}

/** A cell with nothing in it is no line of its own where the table is folded. */
function Cell(props: { label: string; isWide?: boolean; children: ReactNode }) {
  const { label, isWide = false, children } = props;
  if (children === null) return <td className="max-xl:hidden!" />;
  return (
    <td data-label={label} className={`tabular-nums ${isWide ? "max-xl:basis-full" : ""}`}>
      {children}
    </td>
  );
}

/** Whether the file is in the database already; most are not, and need no word. */
function Standing({ planned }: Pick<PlanStep, "planned">) {
  if (planned === "applied") {
    return (
      <Badge tone="success" icon={CircleCheck}>
        Applied already
      </Badge>
    );
  }
  if (planned === "differs") {
    return (
      <Badge tone="error" icon={CircleX}>
        Differs from what was applied
      </Badge>
    );
  }
  return null;
}

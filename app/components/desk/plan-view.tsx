import { ChevronRight } from "lucide-react";
import { Mono } from "../ui.tsx";
import { commonStanding, FileTable, Standing } from "./plan-files.tsx";
import {
  count,
  groupFacts,
  mustBeSeen,
  type PlanStep,
  pathWords,
  planSentence,
  type ShownPlan,
  strangerWords,
} from "./plan-words.ts";
import { Fold } from "./run-fold.tsx";
import { groupSteps, type StepGroup, stepTitle } from "./run-groups.ts";
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
              <div className={ROW}>
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
  "grid min-h-9 px-3 py-1.5 grid-cols-[0.875rem_minmax(0,1fr)] items-baseline gap-x-2 lg:grid-cols-[0.875rem_minmax(0,22rem)_minmax(0,1fr)]";
const FACTS = "min-w-0 text-quiet max-lg:col-start-2 max-lg:text-xs/5";

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
        <summary className="list-none hover:bg-base-200">
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

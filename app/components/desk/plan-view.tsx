import { CircleCheck, CircleX } from "lucide-react";
import { Table } from "../table.tsx";
import { Badge, Mono } from "../ui.tsx";
import {
  expectedWords,
  limitWords,
  type PlanStep,
  planSentence,
  type ShownPlan,
  strangerWords,
} from "./plan-words.ts";
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

/** Every step of a run: its file, what the file does to what exists, how long it takes. */
export function PlanTable({ plan }: { plan: ShownPlan }) {
  return (
    <Table caption="The steps of the run" foldBelow="xl">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Version</th>
          <th scope="col">Statements</th>
          <th scope="col">Strongest lock</th>
          <th scope="col">Takes</th>
        </tr>
      </thead>
      <tbody>
        {plan.steps.map((step, index) => (
          <PlanRow key={step.name} step={step} number={index + 1} />
        ))}
      </tbody>
    </Table>
  );
}

function PlanRow({ step, number }: { step: PlanStep; number: number }) {
  const { name, file, ledgerVersion, planned, effects, expectedMs } = step;
  const expected = expectedWords(expectedMs);
  const limit = effects ? limitWords(effects) : "";
  return (
    <tr data-planned={planned ?? undefined}>
      <th scope="row" className="font-normal xl:min-w-80">
        <span className="flex flex-wrap items-center gap-x-2">
          <span>
            <span className="text-quiet tabular-nums">{number}. </span>
            {name}
          </span>
          <Standing planned={planned} />
        </span>
        {file ? (
          <span className="block font-mono text-xs wrap-anywhere text-quiet">{file}</span>
        ) : null}
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
      <Cell label="Takes">
        {expected || limit ? (
          <>
            {expected}
            {limit ? (
              <span className="block text-xs text-quiet max-xl:inline max-xl:text-sm">
                {expected ? <span className="xl:hidden">, </span> : null}
                {limit}
              </span>
            ) : null}
          </>
        ) : null}
      </Cell>
    </tr>
  );
}

/** A cell with nothing in it is no line of its own where the table is folded. */
function Cell(props: { label: string; isWide?: boolean; children: React.ReactNode }) {
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

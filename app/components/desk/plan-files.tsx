import { CircleCheck, CircleX } from "lucide-react";
import type { ReactNode } from "react";
import { Table } from "../table.tsx";
import { Badge } from "../ui.tsx";
import { commonLimit, expectedWords, limitWords, type PlanStep } from "./plan-words.ts";
import { fileWords } from "./run-groups.ts";
import { Rewrites, StrongestLock, Unseen } from "./step-effects.tsx";

/** The files of a group. What all of them share stands above. */
export function FileTable({ title, steps }: { title: string; steps: readonly PlanStep[] }) {
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

/** How all of these steps stand, where they stand alike. */
export const commonStanding = (steps: readonly PlanStep[]) => {
  const [first] = steps;
  return steps.every(({ planned }) => planned === first?.planned)
    ? (first?.planned ?? undefined)
    : undefined;
};

/** Whether the file is in the database already; most are not, and need no word. */
export function Standing({ planned }: Pick<PlanStep, "planned">) {
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

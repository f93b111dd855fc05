import { CircleCheck, CircleDashed, CircleMinus, CircleX, type LucideIcon } from "lucide-react";
import type { CheckLine } from "#app/domain/backends/index.server.ts";
import { foundWords, LINE_COUNT, type ShownLine, shownLines } from "./credentials-lines.ts";

type State = CheckLine["state"] | "testing" | "waiting";

const LOOKS: Record<State, { word: string; icon: LucideIcon; ink: string }> = {
  holds: { word: "Holds", icon: CircleCheck, ink: "text-success" },
  fails: { word: "Does not hold", icon: CircleX, ink: "text-error" },
  unchecked: { word: "Not checked", icon: CircleMinus, ink: "text-quiet" },
  testing: { word: "Testing", icon: CircleDashed, ink: "text-primary" },
  waiting: { word: "Not tested yet", icon: CircleDashed, ink: "text-quiet" },
};

/** The connection test's lines, always all of them and in one order, whatever came first. */
export function CheckList(props: { lines: readonly CheckLine[]; isTesting: boolean }) {
  const { lines, isTesting } = props;
  return (
    <ol aria-label={`The ${LINE_COUNT} lines of the connection test`} className="grid">
      {shownLines(lines).map((shown) => (
        <CheckItem key={shown.name} shown={shown} isTesting={isTesting} />
      ))}
    </ol>
  );
}

function CheckItem({ shown, isTesting }: { shown: ShownLine; isTesting: boolean }) {
  const { title, line, name } = shown;
  const state: State = line?.state ?? (isTesting ? "testing" : "waiting");
  const { word, icon: Icon, ink } = LOOKS[state];
  const { needed, fix } = line ?? {};
  const found = line && foundWords(line);
  return (
    <li data-line={name} data-state={state} className="border-b border-base-300 py-2 last:border-0">
      <div className="flex items-start gap-2">
        <Icon
          size={16}
          aria-hidden="true"
          className={`mt-0.5 shrink-0 ${ink} ${state === "testing" ? "motion-safe:animate-spin" : ""}`}
        />
        <span className="min-w-0 grow">{title}</span>
        <span className={`shrink-0 text-xs/5 font-medium ${ink}`}>{word}</span>
      </div>
      {state === "fails" ? (
        <dl className="mt-1 ml-6 grid gap-0.5 wrap-anywhere">
          <Fact label="Found" text={found} />
          <Fact label="Needed" text={needed} />
          <Fact label="What to do" text={fix} />
        </dl>
      ) : found ? (
        <p className="ml-6 text-quiet wrap-anywhere">{found}</p>
      ) : null}
    </li>
  );
}

function Fact({ label, text }: { label: string; text: string | undefined }) {
  if (!text) return null;
  return (
    <div>
      <dt className="inline text-quiet">{label}: </dt>
      <dd className="inline">{text}</dd>
    </div>
  );
}

import { useLocation } from "@remix-run/react";
import { Check, ChevronRight, Minus } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { ChecklistStep, StepState } from "./checklist.ts";

const WORDS: Record<StepState, string> = {
  done: "done",
  next: "next",
  blocked: "next, not yours",
  later: "to come",
  skipped: "not needed",
  unreached: "not reached",
};

function Mark({ state, number }: { state: StepState; number: number }) {
  const base =
    "flex size-6 shrink-0 items-center justify-center rounded-full text-xs font-semibold tabular-nums";
  if (state === "done") {
    return (
      <span className={`${base} text-success`}>
        <Check size={16} aria-hidden="true" />
      </span>
    );
  }
  if (state === "skipped" || state === "unreached") {
    return (
      <span className={`${base} text-quiet`}>
        <Minus size={16} aria-hidden="true" />
      </span>
    );
  }
  const ink =
    state === "next" ? "bg-primary text-primary-content" : "border border-secondary text-quiet";
  return <span className={`${base} ${ink}`}>{number}</span>;
}

/** What a step has to show: the open one its act, a folded one what became of it. */
export interface StepContent {
  /** Beside the title of a step that is behind: who, when. */
  aside?: ReactNode;
  /** The open part. Of a step that is not next it is folded. */
  body?: ReactNode;
}

/**
 * Has the focus after an act: what was pressed is gone from the page. Remix marks where an act's
 * answer led to; the same page read again by itself takes the focus from nobody.
 */
function useFocusAfterAct() {
  const box = useRef<HTMLOListElement>(null);
  const { key, state } = useLocation();
  const isAfterAct = Boolean((state as { _isRedirect?: boolean } | null)?._isRedirect);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each arrival has a key of its own
  useEffect(() => {
    if (!isAfterAct || document.activeElement !== document.body) return;
    box.current?.querySelector<HTMLElement>("[aria-current=step] [tabindex]")?.focus();
  }, [key, isAfterAct]);
  return box;
}

/** The whole work in order; the next act stands open, everything else is one line. */
export function RequestChecklist(props: {
  steps: ChecklistStep[];
  contents: Partial<Record<ChecklistStep["name"], StepContent>>;
}) {
  const box = useFocusAfterAct();
  return (
    <ol
      ref={box}
      aria-label="The work on this request"
      className="overflow-hidden rounded-box border border-base-300"
    >
      {props.steps.map((step, index) => (
        <Step
          key={step.name}
          step={step}
          number={index + 1}
          content={props.contents[step.name] ?? {}}
        />
      ))}
    </ol>
  );
}

function Step(props: { step: ChecklistStep; number: number; content: StepContent }) {
  const { step, number, content } = props;
  const { name, title, state } = step;
  const isOpen = state === "next" || state === "blocked" || (name === "done" && state === "done");
  const head = (
    <>
      <Mark state={state} number={number} />
      <span className={isOpen ? "font-semibold" : state === "done" ? "" : "text-quiet"}>
        {title}
        <span className="sr-only">, {WORDS[state]}</span>
      </span>
      {content.aside ? (
        <span className="ml-auto text-right text-quiet">{content.aside}</span>
      ) : null}
    </>
  );
  const line = "flex min-h-9 items-center gap-3 px-4 py-1";
  if (isOpen) {
    return (
      <li aria-current="step" className="border-b border-base-300 bg-base-100 last:border-b-0">
        <div tabIndex={-1} className={`${line} outline-none`}>
          {head}
        </div>
        {content.body ? <div className="px-4 pb-4 sm:pl-13">{content.body}</div> : null}
      </li>
    );
  }
  return (
    <li className="border-b border-base-300 bg-base-200 last:border-b-0">
      {content.body ? (
        <details className="group">
          <summary className={`${line} cursor-pointer list-none`}>
            {head}
            <ChevronRight
              size={14}
              aria-hidden="true"
              className={`shrink-0 text-quiet transition-transform group-open:rotate-90 motion-reduce:transition-none ${content.aside ? "" : "ml-auto"}`}
            />
          </summary>
          <div className="px-4 pt-1 pb-4 sm:pl-13">{content.body}</div>
        </details>
      ) : (
        <div className={line}>{head}</div>
      )}
    </li>
  );
}

import { CircleAlert, CircleCheck, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import type { PageProblem } from "#app/web/forms.server.ts";

type NoticeTone = "success" | "warning" | "error" | "info";

const LOOKS: Record<NoticeTone, { icon: LucideIcon; word: string; edge: string; ink: string }> = {
  success: { icon: CircleCheck, word: "Done", edge: "border-success", ink: "text-success" },
  warning: { icon: TriangleAlert, word: "Careful", edge: "border-warning", ink: "text-warning" },
  error: { icon: CircleAlert, word: "Problem", edge: "border-error", ink: "text-error" },
  info: { icon: Info, word: "Note", edge: "border-info", ink: "text-info" },
};

/** Says what happened. Errors are announced at once; with `live`, anything else is, too. */
export function Notice(props: {
  tone: NoticeTone;
  title: string;
  children?: ReactNode;
  live?: boolean;
}) {
  const { tone, title, children, live = false } = props;
  const { icon: Icon, word, edge, ink } = LOOKS[tone];
  const role = tone === "error" ? "alert" : live ? "status" : undefined;
  return (
    <div
      role={role}
      className={`mb-4 flex gap-3 rounded-box border border-l-4 bg-base-100 px-4 py-3 ${edge}`}
    >
      <Icon size={18} aria-hidden="true" className={`mt-0.5 shrink-0 ${ink}`} />
      <div className="min-w-0 wrap-anywhere">
        <p className="font-semibold">
          <span className="sr-only">{word}: </span>
          {title}
        </p>
        {children ? <div className="mt-1 grid gap-1">{children}</div> : null}
      </div>
    </div>
  );
}

/**
 * Why an act was refused: what was found, what is needed, what to do. Has the focus on arrival, since
 * the button that was pressed may be far below it; the same answer on a page read again leaves it.
 */
export function ProblemNotice(props: {
  problem: PageProblem;
  /** Where on this page the plan is that somebody has to read now. */
  plan?: string | undefined;
}) {
  const { problem, plan } = props;
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answer is why this runs
  useEffect(() => box.current?.focus(), [problem]);
  const { text, found, needed, fix } = problem;
  const facts = [
    ["Found", found],
    ["Needed", needed],
    ["What to do", fix],
  ].filter((fact): fact is [string, string] => Boolean(fact[1]));
  return (
    <div ref={box} tabIndex={-1} className="rounded-box">
      <Notice tone="error" title={text}>
        {facts.length > 0 ? (
          <dl className="grid gap-1">
            {facts.map(([label, value]) => (
              <div key={label}>
                <dt className="inline text-quiet">{label}: </dt>
                <dd className="inline">{value}</dd>
              </div>
            ))}
          </dl>
        ) : null}
        {plan ? (
          <p>
            <a href={plan} className="link link-primary">
              Read the plan
            </a>
          </p>
        ) : null}
      </Notice>
    </div>
  );
}

import { Link } from "@remix-run/react";
import type { Step } from "#app/domain/onboarding/index.server.ts";

export interface ProgressStep {
  step: Step;
  path: string;
  name: string;
  done: boolean;
}

/** How many minutes most people need for each step; whole ones, so that each step leaves fewer. */
const MINUTES: Record<Step, number> = {
  business: 2,
  plan: 1,
  features: 1,
  settings: 1,
  backend: 1,
  review: 1,
};

/** Where one is in the wizard, how long it still takes, and the way back to what is answered. */
export function Progress({ steps, current }: { steps: ProgressStep[]; current: number }) {
  const minutes = steps.slice(current).reduce((sum, { step }) => sum + MINUTES[step], 0);
  return (
    <nav aria-label="Steps of the sign-up" className="mb-8">
      <p className="mb-2 text-sm text-quiet tabular-nums">
        Step {current + 1} of {steps.length} · about {minutes} minute{minutes === 1 ? "" : "s"} left
      </p>
      <ol className="flex gap-1.5">
        {steps.map(({ path, name, done }, index) => (
          <li key={path} className="min-w-0 grow basis-0">
            <StepMark
              to={done && index !== current ? path : null}
              name={name}
              look={index === current ? "current" : done ? "done" : "open"}
            />
          </li>
        ))}
      </ol>
    </nav>
  );
}

const BARS = { current: "bg-primary", done: "bg-primary/50", open: "bg-base-300" };

function StepMark(props: { to: string | null; name: string; look: keyof typeof BARS }) {
  const { to, name, look } = props;
  const face = (
    <>
      <span className={`mb-1 block h-1 rounded-full ${BARS[look]}`} />
      <span className={`block truncate text-xs ${look === "current" ? "font-semibold" : ""}`}>
        {name}
      </span>
    </>
  );
  if (to) {
    return (
      <Link to={to} className="block py-1 text-base-content hover:underline">
        <span className="sr-only">Done: </span>
        {face}
      </Link>
    );
  }
  return (
    <span
      aria-current={look === "current" ? "step" : undefined}
      className={`block py-1 ${look === "current" ? "" : "text-quiet"}`}
    >
      {face}
    </span>
  );
}

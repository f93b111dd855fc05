import { type UIMatch, useRouteLoaderData } from "@remix-run/react";
import type { Step } from "#app/domain/onboarding/index.server.ts";
import type { ProgressStep } from "./progress.tsx";

/** The wizard's frame, whose loader knows the steps. */
const FRAME = "routes/sign-up";

interface FrameData {
  steps: ProgressStep[];
}

/** The title of a step's page: how far one is, and what it is about. */
export function stepTitle(
  matches: readonly (Pick<UIMatch, "id" | "data"> | undefined)[],
  step: Step,
  what: string,
): string {
  const frame = matches.find((match) => match?.id === FRAME)?.data as FrameData | undefined;
  const steps = frame?.steps ?? [];
  const at = steps.findIndex((one) => one.step === step);
  // Where the frame could not be read there is an error page, and no step.
  return at < 0 ? "Sign up · Berth" : `Step ${at + 1} of ${steps.length}: ${what} · Berth`;
}

/** The address of the step before this one. */
export function useStepBefore(step: Step): string {
  const steps = useRouteLoaderData<FrameData>(FRAME)?.steps ?? [];
  const at = steps.findIndex((one) => one.step === step);
  return steps[at - 1]?.path ?? "/sign-up";
}

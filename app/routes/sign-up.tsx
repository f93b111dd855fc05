import type { LoaderFunctionArgs } from "@remix-run/node";
import { Outlet, useLoaderData, useLocation } from "@remix-run/react";
import { useEffect, useRef } from "react";
import { isAnswered, type Step, stepsOf } from "#app/domain/onboarding/index.server.ts";
import { currentDraft } from "#app/web/wizard.server.ts";
import { Frame } from "../components/frame.tsx";
import { Progress } from "../components/sign-up/progress.tsx";

const NAMES: Record<Step, string> = {
  business: "Business",
  plan: "Plan",
  features: "Features",
  settings: "Settings",
  backend: "Backend",
  review: "Review",
};

export async function loader(args: LoaderFunctionArgs) {
  const answers = (await currentDraft(args))?.draft?.answers ?? {};
  const { catalog } = args.context.runtime.services;
  const steps = stepsOf(catalog, answers).map((step) => ({
    step,
    path: `/sign-up/${step}`,
    name: NAMES[step],
    done: isAnswered(catalog, step, answers),
  }));
  return { steps };
}

export default function SignUp() {
  const { steps } = useLoaderData<typeof loader>();
  const { pathname } = useLocation();
  const current = Math.max(
    0,
    steps.findIndex(({ path }) => path === pathname),
  );
  const arrived = useRef(pathname);
  useEffect(() => {
    if (arrived.current === pathname) return;
    // A new step is a new page, also for who does not see that it changed.
    arrived.current = pathname;
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [pathname]);
  return (
    <Frame>
      <div className="mx-auto max-w-160 py-8">
        <Progress steps={steps} current={current} />
        <Outlet />
      </div>
    </Frame>
  );
}

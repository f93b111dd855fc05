import type { ReactNode } from "react";
import type { FieldErrors, PageProblem } from "#app/web/forms.server.ts";
import { ErrorSummary } from "../error-summary.tsx";
import { ProblemNotice } from "../notice.tsx";
import { ButtonLink, PageHeader } from "../ui.tsx";

/** One step of the wizard: what is wrong, what it is about, and its form. */
export function StepPage(props: {
  title: string;
  lead?: ReactNode;
  errors?: FieldErrors | null;
  problem?: PageProblem | null;
  children: ReactNode;
}) {
  const { title, lead, errors, problem, children } = props;
  return (
    <>
      <ErrorSummary fields={errors} />
      {problem ? <ProblemNotice problem={problem} /> : null}
      <PageHeader title={title}>{lead}</PageHeader>
      {children}
    </>
  );
}

/** The way back and the way on; on a phone the way on is first, and both are as wide as it. */
export function StepButtons({ back, children }: { back?: string; children: ReactNode }) {
  return (
    <div className="mt-8 flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">
      {back ? <ButtonLink to={back}>Back</ButtonLink> : null}
      {children}
    </div>
  );
}

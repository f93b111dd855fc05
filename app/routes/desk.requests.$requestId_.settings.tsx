import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { viewCorrection } from "#app/domain/onboarding/index.server.ts";
import { viewCredentials } from "#app/domain/provisioning/index.server.ts";
import { readForm } from "#app/web/forms.server.ts";
import { orNotFound, requestIdOf } from "#app/web/request-id.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { correctOrTell } from "#app/web/settings-correction.server.ts";
import { RefusedAct } from "../components/desk/refused-act.tsx";
import { SettingsCorrection } from "../components/desk/settings-correction.tsx";
import { ErrorSummary } from "../components/error-summary.tsx";
import { inSummary } from "../components/sign-up/settings-form.tsx";
import { StatusBadge } from "../components/status.tsx";
import { PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction<typeof loader> = ({ data: shown }) => [
  { title: `Settings${shown ? ` of ${shown.request.company}` : ""} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const { vault, catalog } = args.context.runtime.services;
  return orNotFound(
    inTx(args, actor, async (tx) => {
      const correction = await viewCorrection({ tx, catalog }, requestId);
      // Who may supply credentials may correct what is built with them.
      const view = await viewCredentials({ tx, vault }, requestId, visitor);
      const { request, standing, holder, failure } = view;
      return { correction, request, standing, holder, failureCode: failure?.code };
    }),
  );
}

export async function action(args: ActionFunctionArgs) {
  const person = await requireDesk(args);
  const requestId = requestIdOf(args.params);
  const told = await correctOrTell(args, person, requestId, await readForm(args.request));
  if (!told) return redirect(`/desk/requests/${requestId}`, 303);
  return data(told.answer, told.status);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

// Not live: what is written is judged by what the page showed when it was opened.
export default function SettingsPage() {
  const { correction, request, standing, holder, failureCode } = useLoaderData<typeof loader>();
  const told = useAnswer<typeof action>();
  const { requestId, company, status } = request;
  const { errors = {}, values = {}, refusal } = told ?? {};
  return (
    <>
      {refusal ? <RefusedAct {...refusal} /> : null}
      <ErrorSummary fields={inSummary(correction.open, errors)} />
      <PageHeader
        title="Correct settings"
        back={{ to: `/desk/requests/${requestId}`, label: company }}
        actions={<StatusBadge status={status} failureCode={failureCode} />}
      />
      <SettingsCorrection
        request={request}
        correction={correction}
        standing={standing}
        holder={holder}
        errors={errors}
        values={values}
      />
    </>
  );
}

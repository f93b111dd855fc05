import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData, useSearchParams } from "@remix-run/react";
import { z } from "zod";
import { listTemplates, switchTemplate } from "#app/domain/catalog/index.server.ts";
import { askFirst, attempt, isConfirmed, readForm } from "#app/web/forms.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import { TemplatePart } from "../components/desk/template-item.tsx";
import { Notice, ProblemNotice } from "../components/notice.tsx";
import { PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [{ title: "Templates · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const { catalog } = args.context.runtime.services;
  const templates = await inTx(args, actor, (tx) => listTemplates(tx, catalog));
  return { templates, maySwitch: visitor.role === "supervisor" };
}

const switchForm = z.object({
  template: z.string().min(1).max(100),
  active: z.enum(["true", "false"]),
});

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const { catalog } = args.context.runtime.services;
  const form = await readForm(args.request);
  const parsed = switchForm.safeParse(Object.fromEntries(form));
  if (!parsed.success) throw new Response(null, { status: 400 });
  const { template, active } = parsed.data;
  if (active === "false" && !isConfirmed(form)) return askFirst(args.request, template);
  const outcome = await attempt(args.context, () =>
    inTx(args, actor, (tx) => switchTemplate({ tx, actor }, catalog, template, active === "true")),
  );
  if (!outcome.done) return data({ problem: outcome.problem }, outcome.status);
  return redirect(`/desk/templates?${new URLSearchParams({ switched: template })}`, 303);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Templates() {
  const { templates, maySwitch } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const [search] = useSearchParams();
  const switched = templates.find(({ name }) => name === search.get("switched"));
  const offered = templates.flatMap(({ name, active, isBase }) =>
    maySwitch && active && !isBase ? [name] : [],
  );
  return (
    <div className="max-w-4xl">
      <PageHeader title="Templates">
        <p>What customers can choose. Each is a folder of SQL that a run installs.</p>
      </PageHeader>
      {answer ? <ProblemNotice problem={answer.problem} /> : null}
      {switched && !answer ? (
        <Notice
          tone="success"
          title={`${switched.title} is ${switched.active ? "offered again" : "switched off"}`}
          live
        >
          <p>
            {switched.active
              ? "The wizard and the API take it from now on."
              : "The wizard and the API refuse it from now on."}
          </p>
        </Notice>
      ) : null}
      {answer ? null : <LapsedQuestion offered={offered} />}
      {templates.map((template) => (
        <TemplatePart key={template.name} template={template} maySwitch={maySwitch} />
      ))}
    </div>
  );
}

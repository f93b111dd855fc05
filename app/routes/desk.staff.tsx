import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { UserPlus } from "lucide-react";
import { z } from "zod";
import { listStaff, MANAGERS, setOnDuty } from "#app/domain/staff/index.server.ts";
import { attempt, readForm } from "#app/web/forms.server.ts";
import { inTx, requireDesk, safePath } from "#app/web/session.server.ts";
import { StaffTable } from "../components/desk/staff-table.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { ButtonLink, PageHeader } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [{ title: "Staff · Berth" }];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const members = await inTx(args, actor, listStaff);
  return { members, me: visitor.userId, mayManage: MANAGERS.includes(visitor.role) };
}

/** The switch that every page of the desk has: it says whether its own user is on duty. */
const dutyForm = z.object({
  intent: z.literal("on-duty"),
  onDuty: z.enum(["true", "false"]),
  back: z.string().optional(),
});

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args);
  const parsed = dutyForm.safeParse(Object.fromEntries(await readForm(args.request)));
  if (!parsed.success) throw new Response(null, { status: 400 });
  const { onDuty, back } = parsed.data;
  const outcome = await attempt(args.context, () =>
    inTx(args, actor, (tx) => setOnDuty({ tx, actor }, onDuty === "true")),
  );
  if (!outcome.done) return data({ problem: outcome.problem }, outcome.status);
  return redirect(safePath(back, "/desk/staff"), 303);
}

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Staff() {
  const { members, me, mayManage } = useLoaderData<typeof loader>();
  const answer = useAnswer<typeof action>();
  const working = members.filter(({ state }) => state !== "deactivated");
  const onDuty = working.filter((member) => member.onDuty).length;
  return (
    <>
      <PageHeader
        title="Staff"
        actions={
          mayManage ? (
            <ButtonLink to="/desk/staff/invite" variant="primary" icon={UserPlus}>
              Invite somebody
            </ButtonLink>
          ) : null
        }
      >
        <p>
          {working.length} {working.length === 1 ? "person" : "people"}, {onDuty} on duty.
          {mayManage ? "" : " A supervisor or operator invites people and changes roles."}
        </p>
      </PageHeader>
      {answer ? <ProblemNotice problem={answer.problem} /> : null}
      <StaffTable members={members} me={me} />
    </>
  );
}

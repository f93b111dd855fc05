import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Link, useLoaderData, useSearchParams } from "@remix-run/react";
import { z } from "zod";
import {
  changeMember,
  deactivateMember,
  listStaff,
  MANAGERS,
  MOST_CAPACITY,
  memberInput,
  reactivateMember,
  resendInvitation,
  type StaffDeps,
} from "#app/domain/staff/index.server.ts";
import {
  askFirst,
  attempt,
  type FieldErrors,
  isConfirmed,
  type PageProblem,
  parseForm,
  readForm,
} from "#app/web/forms.server.ts";
import { inTx, requireDesk } from "#app/web/session.server.ts";
import { staffDeps } from "#app/web/staff.server.ts";
import { LapsedQuestion } from "../components/confirm.tsx";
import { MemberActs, MemberForm } from "../components/desk/member-forms.tsx";
import { MemberNews } from "../components/desk/member-news.tsx";
import { StaffLoad, StaffStateBadge } from "../components/desk/staff-table.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import { RelativeTime } from "../components/time.tsx";
import { Facts, PageHeader, Panel } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction<typeof loader> = ({ data: page }) => [
  { title: `${page?.member.name ?? "Staff"} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { visitor, actor } = await requireDesk(args);
  const members = await inTx(args, actor, listStaff);
  const member = members.find(({ userId }) => userId === args.params.userId);
  if (!member) throw new Response(null, { status: 404 });
  return {
    member,
    isMe: member.userId === visitor.userId,
    mayManage: MANAGERS.includes(visitor.role),
    mostCapacity: MOST_CAPACITY,
  };
}

const intent = z.enum(["save", "invite-again", "deactivate", "reactivate"]);

export async function action(args: ActionFunctionArgs) {
  const { actor } = await requireDesk(args, MANAGERS);
  const form = await readForm(args.request);
  const asked = intent.safeParse(form.get("intent"));
  const userId = args.params.userId ?? "";
  if (!asked.success) throw new Response(null, { status: 400 });
  if (asked.data === "deactivate" && !isConfirmed(form)) return askFirst(args.request, asked.data);
  const deps = staffDeps(args, actor);
  if (asked.data === "save") {
    const parsed = parseForm(form, memberInput);
    if (parsed.errors) return refuse(422, { errors: parsed.errors });
    const { shownRole, shownCapacity, ...wish } = parsed.value;
    const shown = { role: shownRole, capacity: shownCapacity };
    return answer(args, async () => {
      const { signedOut } = await changeMember(deps, userId, wish, shown);
      return { done: signedOut ? "role" : "saved" };
    });
  }
  const command = COMMANDS[asked.data];
  return answer(args, () => command(args, deps, userId));
}

type Outcome = Record<string, string>;
type Command = (args: ActionFunctionArgs, deps: StaffDeps, userId: string) => Promise<Outcome>;

const COMMANDS: Record<"invite-again" | "deactivate" | "reactivate", Command> = {
  async "invite-again"(args, { actor }, userId) {
    await inTx(args, actor, (tx) => resendInvitation({ tx, actor }, userId));
    return { done: "invited" };
  },
  async deactivate(_args, deps, userId) {
    const { released, kept } = await deactivateMember(deps, userId);
    return { done: "deactivated", released: String(released), kept: String(kept) };
  },
  async reactivate(args, { actor }, userId) {
    await inTx(args, actor, (tx) => reactivateMember({ tx, actor }, userId));
    return { done: "reactivated" };
  },
};

async function answer({ context, params }: ActionFunctionArgs, work: () => Promise<Outcome>) {
  const outcome = await attempt(context, work);
  if (!outcome.done) return refuse(outcome.status, { problem: outcome.problem });
  const page = `/desk/staff/${encodeURIComponent(params.userId ?? "")}`;
  return redirect(`${page}?${new URLSearchParams(outcome.result)}`, 303);
}

const refuse = (status: number, why: { errors?: FieldErrors; problem?: PageProblem }) =>
  data({ errors: {}, problem: null, ...why }, status);

export { readAgainAfterRefusal as shouldRevalidate } from "../components/read-again.ts";

export default function Member() {
  const { member, isMe, mayManage, mostCapacity } = useLoaderData<typeof loader>();
  const refused = useAnswer<typeof action>();
  const [news] = useSearchParams();
  return (
    <div className="max-w-160">
      <PageHeader title={member.name} back={{ to: "/desk/staff", label: "Staff" }} />
      {refused?.problem ? <ProblemNotice problem={refused.problem} /> : null}
      {refused ? null : <MemberNews member={member} news={news} />}
      {refused ? null : (
        <LapsedQuestion
          offered={mayManage && !isMe && member.state !== "deactivated" ? ["deactivate"] : []}
        />
      )}
      <Panel title="Now">
        <Facts
          items={[
            ["State", <StaffStateBadge key="state" state={member.state} />],
            ["E-mail", member.email],
            [
              "Role",
              <span key="role" className="capitalize">
                {member.role}
              </span>,
            ],
            ["Open requests", <StaffLoad key="load" member={member} />],
            ["Duty", member.onDuty ? "On duty" : "Off duty"],
            [
              "Last act",
              member.lastActAt ? <RelativeTime key="last" at={member.lastActAt} /> : "never",
            ],
            [
              "Record",
              <Link key="audit" to={`/desk/audit?${new URLSearchParams({ who: member.email })}`}>
                What {isMe ? "you" : "they"} did
              </Link>,
            ],
          ]}
        />
      </Panel>
      {mayManage ? (
        <>
          {member.state === "deactivated" ? null : (
            <Panel title="Role and capacity">
              <MemberForm
                key={`${member.role} ${member.capacity}`}
                member={member}
                isMe={isMe}
                mostCapacity={mostCapacity}
                errors={refused?.errors ?? {}}
              />
            </Panel>
          )}
          <MemberActs member={member} isMe={isMe} />
        </>
      ) : (
        <p className="text-quiet">A supervisor or operator changes roles and capacity.</p>
      )}
    </div>
  );
}

import { Link } from "@remix-run/react";
import { CircleCheck, CircleSlash, MailQuestion } from "lucide-react";
import type { StaffMember, StaffState } from "#app/domain/staff/index.server.ts";
import { Table } from "../table.tsx";
import { RelativeTime } from "../time.tsx";
import { Badge } from "../ui.tsx";

/** Whether somebody can work, in a word. */
export function StaffStateBadge({ state }: { state: StaffState }) {
  if (state === "active") {
    return (
      <Badge tone="success" icon={CircleCheck}>
        Active
      </Badge>
    );
  }
  if (state === "invited") {
    return (
      <Badge tone="info" icon={MailQuestion}>
        Invited
      </Badge>
    );
  }
  return (
    <Badge tone="neutral" icon={CircleSlash}>
      Deactivated
    </Badge>
  );
}

/** Open requests against capacity; leads to them. */
export function StaffLoad({ member }: { member: StaffMember }) {
  const { load, capacity, userId } = member;
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap tabular-nums">
      <progress
        className={`progress w-12 ${load > capacity ? "progress-error" : "progress-primary"}`}
        value={Math.min(load, capacity)}
        max={Math.max(1, capacity)}
        aria-hidden="true"
      />
      <span>
        {load > 0 ? (
          <Link to={`/desk/queue?${new URLSearchParams({ assignee: userId })}`} className="link">
            {load}
            <span className="sr-only"> open {load === 1 ? "request" : "requests"}</span>
          </Link>
        ) : (
          load
        )}{" "}
        <span className="text-quiet">of {capacity}</span>
      </span>
      {load > capacity ? <span className="font-medium text-error">too many</span> : null}
    </span>
  );
}

/** Everybody who is or was on the staff. */
export function StaffTable({ members, me }: { members: StaffMember[]; me: string }) {
  return (
    <Table caption="People on the staff" foldBelow="xl">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Role</th>
          <th scope="col">Duty</th>
          <th scope="col">Open requests</th>
          <th scope="col">Last act</th>
          <th scope="col">E-mail</th>
        </tr>
      </thead>
      <tbody>
        {members.map((member) => (
          <StaffRow key={member.userId} member={member} isMe={member.userId === me} />
        ))}
      </tbody>
    </Table>
  );
}

function StaffRow({ member, isMe }: { member: StaffMember; isMe: boolean }) {
  const { userId, name, email, role, onDuty, state, lastActAt } = member;
  return (
    <tr className={state === "deactivated" ? "text-quiet" : ""}>
      <th scope="row" className="font-medium whitespace-nowrap">
        <Link to={`/desk/staff/${encodeURIComponent(userId)}`} className="link">
          {name}
        </Link>
        {isMe ? <span className="font-normal text-quiet"> (you)</span> : null}
      </th>
      <td>
        <StaffStateBadge state={state} />
      </td>
      <td className="capitalize">{role}</td>
      <td className="whitespace-nowrap">{dutyOf(state, onDuty)}</td>
      <td data-label="Open requests">
        <StaffLoad member={member} />
      </td>
      <td data-label="Last act">
        {lastActAt === null ? (
          <span className="text-quiet">never</span>
        ) : (
          <RelativeTime at={lastActAt} />
        )}
      </td>
      <td className="whitespace-nowrap">{email}</td>
    </tr>
  );
}

const dutyOf = (state: StaffState, onDuty: boolean) => {
  if (state === "deactivated") return "–";
  return onDuty ? "On duty" : "Off duty";
};

import { Link } from "@remix-run/react";
import type { StaffMember } from "#app/domain/staff/index.server.ts";
import { Notice } from "../notice.tsx";

const countOf = (text: string | null) => (/^\d{1,4}$/.test(text ?? "") ? Number(text) : 0);
const requests = (count: number) => `${count} ${count === 1 ? "request" : "requests"}`;

/** What was just done about somebody, as the address says it. */
export function MemberNews({ member, news }: { member: StaffMember; news: URLSearchParams }) {
  const { name, email, role } = member;
  switch (news.get("done")) {
    case "invited":
      return (
        <Notice tone="success" title="The invitation is on its way" live>
          <p>
            To {email}, with a link to choose a password. <Link to="/desk/outbox">The outbox</Link>{" "}
            shows when it has left.
          </p>
        </Notice>
      );
    case "joined":
      return (
        <Notice tone="success" title={`${name} is on the staff`} live>
          <p>
            This address has an account already: its password opens the desk now. A mail says so.
          </p>
        </Notice>
      );
    case "saved":
      return <Notice tone="success" title="Saved" live />;
    case "role":
      return (
        <Notice tone="success" title={`${name} is ${role} now`} live>
          <p>They were signed out everywhere and sign in again with the new role.</p>
        </Notice>
      );
    case "deactivated":
      return <Deactivated member={member} news={news} />;
    case "reactivated":
      return (
        <Notice tone="success" title={`${name} is back on the staff`} live>
          <p>Off duty, until they switch it themselves.</p>
        </Notice>
      );
    default:
      return null;
  }
}

function Deactivated({ member, news }: { member: StaffMember; news: URLSearchParams }) {
  if (member.state !== "deactivated") return null;
  const released = countOf(news.get("released"));
  const kept = countOf(news.get("kept"));
  return (
    <Notice tone="success" title={`${member.name} is deactivated`} live>
      <p>
        Signed out everywhere.{" "}
        {released > 0
          ? `${requests(released)} went back to the queue, with a note for the next one.`
          : "Nothing had to go back to the queue."}
      </p>
      {kept > 0 ? (
        <p>
          {requests(kept)} {kept === 1 ? "stays" : "stay"} under this name, since{" "}
          {kept === 1 ? "it is" : "they are"} past preparing; a supervisor can go on with{" "}
          <Link to={`/desk/queue?${new URLSearchParams({ assignee: member.userId })}`}>
            {kept === 1 ? "it" : "them"}
          </Link>
          .
        </p>
      ) : null}
    </Notice>
  );
}

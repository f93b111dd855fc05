import { Form, Link } from "@remix-run/react";
import { CircleAlert, CircleCheck, Clock } from "lucide-react";
import type { OutboxItem } from "#app/domain/notifications/index.server.ts";
import { ConfirmButton } from "../confirm.tsx";
import { SubmitButton } from "../form.tsx";
import { Table } from "../table.tsx";
import { RelativeTime } from "../time.tsx";
import { Badge } from "../ui.tsx";
import { MAIL_STATUS_WORDS, MAIL_WORDS } from "./mail-words.ts";

const LOOKS = {
  waiting: { tone: "neutral", icon: Clock },
  sent: { tone: "success", icon: CircleCheck },
  dead: { tone: "error", icon: CircleAlert },
} as const;

/** The questions that sending one of these mails again can ask. */
export const askedAbout = (mails: OutboxItem[]): string[] =>
  mails.flatMap(({ id, status }) => (status === "sent" ? [id] : []));

/** Mails that left, are about to, or never will by themselves. */
export function OutboxTable({ mails }: { mails: OutboxItem[] }) {
  return (
    <Table caption="Mails, newest first" foldBelow="xl">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">To</th>
          <th scope="col">What</th>
          <th scope="col">About</th>
          <th scope="col">When</th>
          <th scope="col">Attempts</th>
          <th scope="col">
            <span className="sr-only">Acts</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {mails.map((mail) => (
          <MailRow key={mail.id} mail={mail} />
        ))}
      </tbody>
    </Table>
  );
}

function MailRow({ mail }: { mail: OutboxItem }) {
  const { kind, recipient, request, status, attempts, lastError, isCopy } = mail;
  const { tone, icon } = LOOKS[status];
  return (
    <tr>
      <td>
        <Badge tone={tone} icon={icon}>
          {MAIL_STATUS_WORDS[status]}
        </Badge>
      </td>
      <th scope="row" className="min-w-56 font-medium wrap-anywhere xl:max-w-72">
        {recipient}
      </th>
      <td className="min-w-44">
        {MAIL_WORDS[kind]}
        {isCopy ? <span className="text-quiet"> (sent again)</span> : null}
        {lastError === null ? null : (
          <p className={`wrap-anywhere ${status === "dead" ? "text-error" : "text-quiet"}`}>
            {lastError}
          </p>
        )}
      </td>
      <td className="min-w-32 wrap-anywhere">
        {request === null ? (
          <span className="text-quiet">an account</span>
        ) : (
          <Link to={`/desk/requests/${request.id}`} className="link">
            <bdi>{request.company}</bdi>
          </Link>
        )}
      </td>
      <td className="whitespace-nowrap">
        <MailTime mail={mail} />
      </td>
      <td className="tabular-nums" data-label="Attempts">
        {attempts}
      </td>
      <td className="text-right whitespace-nowrap">
        <SendAgain mail={mail} />
      </td>
    </tr>
  );
}

function MailTime({ mail: { status, nextAttemptAt, sentAt, createdAt } }: { mail: OutboxItem }) {
  if (status === "sent" && sentAt !== null) return <RelativeTime at={sentAt} />;
  if (status === "waiting" && nextAttemptAt !== null) {
    return (
      <>
        next attempt <RelativeTime at={nextAttemptAt} isAhead />
      </>
    );
  }
  return (
    <>
      written <RelativeTime at={createdAt} />
    </>
  );
}

function SendAgain({ mail: { id, status, recipient } }: { mail: OutboxItem }) {
  if (status === "waiting") return null;
  return (
    <Form method="post" preventScrollReset>
      {status === "dead" ? (
        <SubmitButton variant="secondary" size="sm" name="mail" value={id} pendingText="Sending …">
          Send again
          <span className="sr-only"> to {recipient}</span>
        </SubmitButton>
      ) : (
        <ConfirmButton
          variant="quiet"
          size="sm"
          label="Send again"
          aria-label={`Send again to ${recipient}`}
          title="Send this mail again?"
          confirmLabel="Send a copy"
          name="mail"
          value={id}
        >
          <p>
            It has arrived once already. A copy goes to {recipient}; a link in it is made anew, if
            one is still needed.
          </p>
        </ConfirmButton>
      )}
    </Form>
  );
}

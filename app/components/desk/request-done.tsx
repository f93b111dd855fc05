import { Link } from "@remix-run/react";
import { CREDENTIAL_WORDS } from "../credentials-traces.tsx";
import { ExactTime, RelativeTime } from "../time.tsx";
import { CopyValue, Facts, Mono } from "../ui.tsx";
import { MAIL_WORDS } from "./mail-words.ts";
import { OutsideLink } from "./outside-link.tsx";
import type { RequestOnPage } from "./request-on-page.ts";

/** What there is at the end: the backend, the traces of its credentials, the owner's link, the mails. */
export function DoneFacts({ request }: { request: RequestOnPage }) {
  const { backend, ownerLink, projectUrl, requestId } = request;
  return (
    <>
      <Facts
        items={[
          ...(backend
            ? ([
                ["Backend", <CopyValue key="url" label="backend URL" value={backend.url} />],
                [
                  "Project",
                  projectUrl ? (
                    <OutsideLink key="project" to={projectUrl}>
                      {backend.projectRef}
                    </OutsideLink>
                  ) : (
                    <Mono key="project">{backend.projectRef}</Mono>
                  ),
                ],
                ["Credentials", <Credentials key="keys" traces={backend.credentials} />],
              ] as [string, React.ReactNode][])
            : []),
          ["Owner’s link", <OwnerLink key="owner" link={ownerLink} />],
        ]}
      />
      <p className="mt-3">
        <Link to={`/desk/requests/${requestId}/run`} className="link link-primary">
          What the run did
        </Link>
      </p>
    </>
  );
}

/** Last four characters and a fingerprint: enough to tell one key from another, no more. */
function Credentials({
  traces,
}: {
  traces: { field: string; lastFour: string; fingerprint: string }[];
}) {
  return (
    <ul>
      {traces.map(({ field, lastFour, fingerprint }) => (
        <li key={field} className="flex flex-wrap gap-x-2">
          <span>{CREDENTIAL_WORDS[field] ?? field}</span>
          {lastFour && field !== "databaseUrl" ? <Mono>…{lastFour}</Mono> : null}
          <span className="text-quiet">
            fingerprint <Mono>{fingerprint}</Mono>
          </span>
        </li>
      ))}
    </ul>
  );
}

function OwnerLink({ link }: { link: RequestOnPage["ownerLink"] }) {
  if (!link) return <>Not made</>;
  if (link.state === "used") {
    return (
      <>
        Opened <RelativeTime at={link.at} />
      </>
    );
  }
  return (
    <>
      {link.state === "expired" ? "Expired unopened on " : "Sent, not opened yet. It holds until "}
      <ExactTime at={link.at} />
    </>
  );
}

/** What was written to whom about this request, and what became of it. */
export function RequestMails({ mails }: { mails: RequestOnPage["mails"] }) {
  if (mails.length === 0) return <p className="text-quiet">No mail was written yet.</p>;
  return (
    <ul className="grid gap-1">
      {mails.map((mail) => (
        <li key={mail.id} className="flex flex-wrap justify-between gap-x-4">
          <span>{MAIL_WORDS[mail.kind as keyof typeof MAIL_WORDS]}</span>
          <span className={mail.status === "dead" ? "font-medium text-error" : "text-quiet"}>
            {mail.sentAt ? (
              <>
                Sent <RelativeTime at={mail.sentAt} />
              </>
            ) : mail.status === "dead" ? (
              <Link to={"/desk/outbox?status=dead"} className="underline underline-offset-2">
                Not delivered
              </Link>
            ) : mail.attempts > 0 ? (
              `Trying again, ${mail.attempts} attempts so far`
            ) : (
              "On its way"
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

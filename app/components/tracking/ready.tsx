import type { ReactNode } from "react";
import type { Tracking } from "#app/domain/provisioning/index.server.ts";
import { CopyValue, Facts } from "../ui.tsx";

/** The owner's link as the page tells of it; moments in words, in the customer's zone. */
export interface OwnerLinkShown {
  state: NonNullable<Tracking["ownerLink"]>["state"];
  when: string | null;
  expires: string;
}

/** A backend that is ready: where it is, and what is in it. */
export function ReadyBackend(props: { url: string; features: Tracking["features"] }) {
  const { url, features } = props;
  return (
    <Facts
      items={[
        [
          "Address",
          <div key="url">
            <CopyValue label="the address" value={url} />
            <p className="text-sm text-quiet">
              The API address of your project, for the programs that use your backend. It is no
              page.
            </p>
          </div>,
        ],
        [
          "Installed",
          <ul key="features" className="grid gap-1">
            {features.map(({ title, version }) => (
              <li key={title}>
                {title}{" "}
                {version ? <span className="font-mono text-sm text-quiet">{version}</span> : null}
              </li>
            ))}
          </ul>,
        ],
      ]}
    />
  );
}

/** What became of the mail with the owner's link, and what to do. */
export function OwnerLink(props: { link: OwnerLinkShown; email: string; zone: string }) {
  const { link, email, zone } = props;
  const mail = <b className="font-medium wrap-anywhere">{email}</b>;
  const says: Record<OwnerLinkShown["state"], { title: string; text: ReactNode }> = {
    being_sent: {
      title: "Your link is on its way",
      text: <>The mail to {mail} is being sent. With its link you sign in as the owner.</>,
    },
    waiting: {
      title: `Mailed ${link.when}, ${zone}`,
      text: (
        <>
          Open the link in our mail to {mail} to sign in as the owner. It works once, until{" "}
          {link.expires}, {zone}. If nothing has arrived, look in your spam folder; or answer any of
          our mails, and we send a new one.
        </>
      ),
    },
    not_delivered: {
      title: "Our mail could not be delivered",
      text: (
        <>
          The server of {mail} did not take it. Your backend is not affected: we have been told, and
          send you a new link.
        </>
      ),
    },
    used: {
      title: `Used ${link.when}, ${zone}`,
      text: "You are its owner. From now on sign in at your backend itself, with the password that you chose there.",
    },
    expired: {
      title: `Ran out ${link.when}, ${zone}, unused`,
      text: "Your backend is not affected. Answer any of our mails, and we send a new link.",
    },
  };
  const { title, text } = says[link.state];
  return (
    <div className="max-w-160">
      <p className="font-medium">{title}</p>
      <p className="text-quiet">{text}</p>
    </div>
  );
}

import { Form } from "@remix-run/react";
import type { ReactNode } from "react";
import type { DeskRequest } from "#app/domain/provisioning/index.server.ts";

/** A form of a request's page. It carries what the page showed, so that a stale page changes nothing unseen. */
export function ActForm(props: {
  seen: DeskRequest["seen"];
  className?: string;
  children: ReactNode;
}) {
  const { seen, className, children } = props;
  return (
    <Form method="post" preventScrollReset className={className}>
      <input type="hidden" name="version" value={seen.version} />
      <input type="hidden" name="eventId" value={seen.eventId} />
      {children}
    </Form>
  );
}

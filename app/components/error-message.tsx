import { isRouteErrorResponse } from "@remix-run/react";
import { Message } from "./message.tsx";
import { ButtonLink } from "./ui.tsx";

interface Told {
  status?: number;
  title: string;
  text: string;
}

/** What a person is told when a page cannot be shown; never the error's own words. */
export function describeError(error: unknown): Told {
  // The browser's own words for a server that does not answer.
  if (error instanceof TypeError && /fetch|network|load failed/i.test(error.message)) {
    return {
      title: "Berth cannot be reached",
      text: "What you see may be old. Check your connection, then reload the page.",
    };
  }
  const status = isRouteErrorResponse(error) ? error.status : 500;
  if (status === 404) {
    return {
      status,
      title: "There is nothing at this address",
      text: "It may have been mistyped, or what was here is no longer. Check the address, or begin from the start page.",
    };
  }
  if (status === 413) {
    return {
      status,
      title: "This is more than Berth can take",
      text: "Nothing was changed. Go back, shorten what you entered, and try again. If you pasted it, check that it is what the field asks for.",
    };
  }
  if (status < 500) {
    return {
      status,
      title: "This request was not accepted",
      text: "Nothing was changed. Go back, check what you entered, and try again.",
    };
  }
  return {
    status,
    title: "Berth could not show this page",
    text: "The fault is on our side, and it has been recorded. Reload the page in a minute; if it stays, tell the people who run Berth when it happened.",
  };
}

/** In place of a page that failed, with a way on. */
export function ErrorMessage(props: { error: unknown; home: { to: string; label: string } }) {
  const { status, title, text } = describeError(props.error);
  return (
    <Message status={status} title={title}>
      <p>{text}</p>
      <ButtonLink to={props.home.to}>{props.home.label}</ButtonLink>
    </Message>
  );
}

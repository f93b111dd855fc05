import {
  type ActionFunctionArgs,
  data,
  type LoaderFunctionArgs,
  type MetaFunction,
  redirect,
} from "@remix-run/node";
import { Link, useLoaderData } from "@remix-run/react";
import { useState } from "react";
import { openOwnerLink, readOwnerLink } from "#app/domain/provisioning/index.server.ts";
import { linkDeps, withLink } from "#app/web/links.server.ts";
import { Frame } from "../components/frame.tsx";
import { Message } from "../components/message.tsx";
import { Button } from "../components/ui.tsx";
import { useAnswer } from "../components/use-answer.ts";

export const meta: MetaFunction = () => [
  { title: "Sign in to your backend · Berth" },
  { name: "robots", content: "noindex" },
];

/** Opening the page changes nothing: scanners of mail open links, too. */
export async function loader(args: LoaderFunctionArgs) {
  const { deps, token } = linkDeps(args);
  const answer = await withLink(args.context, async () => {
    const { company, backend } = await readOwnerLink(deps, token);
    return { company, host: new URL(backend.url).host };
  });
  if (answer.problem) return data({ problem: answer.problem, subject: null }, answer.status);
  return { problem: null, subject: answer.result };
}

export async function action(args: ActionFunctionArgs) {
  const { deps, token } = linkDeps(args);
  const answer = await withLink(args.context, () => openOwnerLink(deps, token));
  if (answer.problem) return data({ problem: answer.problem }, answer.status);
  // The link that signs in goes to this browser alone, and is kept nowhere.
  return redirect(answer.result, { status: 303, headers: { "Cache-Control": "no-store" } });
}

export default function OwnerLink() {
  const { problem: refused, subject } = useLoaderData<typeof loader>();
  const failed = useAnswer<typeof action>()?.problem;
  const problem = failed ?? refused;
  return (
    <Frame>
      {problem ? (
        <Message title={problem.title}>
          {problem.text ? <p role="alert">{problem.text}</p> : null}
          {problem.again ? <SignIn label="Try again" /> : null}
          {problem.text ? null : <NewLink />}
        </Message>
      ) : (
        <Message
          title={
            <>
              The backend of <bdi>{subject?.company}</bdi> is ready
            </>
          }
        >
          <p>
            You are its owner. Signing in takes you to <b>{subject?.host}</b>, where you can choose
            a password. The link in your mail works once: it is used up when you press the button.
          </p>
          <SignIn label="Sign in as the owner" />
        </Message>
      )}
    </Frame>
  );
}

/** What to do where the link is no longer good. */
function NewLink() {
  return (
    <>
      <p>
        If it was you who used it, sign in at your backend itself, with the password that you chose
        there.
      </p>
      <p>
        Otherwise answer any of our mails, and we send a new link to the owner’s address. Your
        backend is not affected. <Link to="/requests">Open the page of your request</Link>
      </p>
    </>
  );
}

/** A plain form: it works without scripts, and it ends at the customer's own project. */
function SignIn({ label }: { label: string }) {
  const [isSent, setSent] = useState(false);
  return (
    <form method="post" onSubmit={() => setSent(true)}>
      <Button type="submit" variant="primary" pending={isSent}>
        {isSent ? "Signing in …" : label}
      </Button>
    </form>
  );
}

import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Outlet, useLoaderData, useRouteError, useRouteLoaderData } from "@remix-run/react";
import { requireDesk } from "#app/web/session.server.ts";
import { DeskFrame } from "../components/desk-frame.tsx";
import { describeError, ErrorMessage } from "../components/error-message.tsx";
import { Frame } from "../components/frame.tsx";

export const meta: MetaFunction = ({ error }) => [
  { title: `${error ? describeError(error).title : "Desk"} · Berth` },
];

export async function loader(args: LoaderFunctionArgs) {
  const { name, role, onDuty } = (await requireDesk(args)).visitor;
  return { person: { name, role, onDuty } };
}

/** The frame of all pages of the desk. Each of them asks by itself who may see it. */
export default function Desk() {
  const { person } = useLoaderData<typeof loader>();
  return (
    <DeskFrame person={person}>
      <Outlet />
    </DeskFrame>
  );
}

/** A page of the desk that failed leaves the frame standing; strangers see no frame of it. */
export function ErrorBoundary() {
  const error = useRouteError();
  const person = useRouteLoaderData<typeof loader>("routes/desk")?.person;
  if (person) {
    return (
      <DeskFrame person={person}>
        <ErrorMessage error={error} home={{ to: "/desk", label: "Go to the desk" }} />
      </DeskFrame>
    );
  }
  return (
    <Frame>
      <ErrorMessage error={error} home={{ to: "/", label: "Go to the start page" }} />
    </Frame>
  );
}

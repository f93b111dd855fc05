import inter from "@fontsource-variable/inter/index.css?url";
import mono from "@fontsource-variable/jetbrains-mono/index.css?url";
import type { LinksFunction, MetaFunction } from "@remix-run/node";
import {
  isRouteErrorResponse,
  Link,
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useRouteError,
} from "@remix-run/react";
import type { ReactNode } from "react";
import { Frame } from "./components/frame.tsx";
import { Message } from "./components/message.tsx";
import { useNonce } from "./components/nonce.ts";
import styles from "./styles/app.css?url";
import forms from "./styles/forms.css?url";
import theme from "./styles/theme.css?url";

export const links: LinksFunction = () => [
  { rel: "stylesheet", href: inter },
  { rel: "stylesheet", href: mono },
  { rel: "stylesheet", href: theme },
  { rel: "stylesheet", href: styles },
  { rel: "stylesheet", href: forms },
  { rel: "icon", href: "/favicon.svg", type: "image/svg+xml" },
];

export const meta: MetaFunction = () => [{ title: "Berth" }];

export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce();
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <Meta />
        <Links />
      </head>
      <body>
        {children}
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function Root() {
  return <Outlet />;
}

function describe(error: unknown): { status: number; title: string; text: ReactNode } {
  const status = isRouteErrorResponse(error) ? error.status : 500;
  if (status === 404) {
    return {
      status,
      title: "There is nothing at this address",
      text: "It may have been mistyped, or what was here is no longer. Check the address, or begin from the start page.",
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

export function ErrorBoundary() {
  const { status, title, text } = describe(useRouteError());
  return (
    <Frame>
      <Message status={status} title={title}>
        <p>{text}</p>
        <p>
          <Link to="/">Go to the start page</Link>
        </p>
      </Message>
    </Frame>
  );
}

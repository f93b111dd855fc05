import inter from "@fontsource-variable/inter/index.css?url";
import mono from "@fontsource-variable/jetbrains-mono/index.css?url";
import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { Links, Meta, Outlet, Scripts, useRouteError, useRouteLoaderData } from "@remix-run/react";
import type { ReactNode } from "react";
import { describeError, ErrorMessage } from "./components/error-message.tsx";
import { Frame } from "./components/frame.tsx";
import { useNonce } from "./components/nonce.ts";
import { ScrollPlace } from "./components/scroll-place.tsx";
import { NowProvider } from "./components/time.tsx";
import theme from "./styles/theme.css?url";
import { getVisitor } from "./web/session.server.ts";

export const links: LinksFunction = () => [
  { rel: "stylesheet", href: inter },
  { rel: "stylesheet", href: mono },
  { rel: "stylesheet", href: theme },
  { rel: "icon", href: "/favicon.svg", type: "image/svg+xml" },
];

export const meta: MetaFunction = ({ error }) => [
  { title: error ? `${describeError(error).title} · Berth` : "Berth" },
];

export async function loader(args: LoaderFunctionArgs) {
  const visitor = await getVisitor(args);
  return {
    now: new Date().toISOString(),
    visitor: visitor && { name: visitor.name, email: visitor.email, role: visitor.role },
  };
}

export function Layout({ children }: { children: ReactNode }) {
  const nonce = useNonce();
  // Absent where the loader itself failed: the error page knows neither visitor nor time.
  const now = useRouteLoaderData<typeof loader>("root")?.now ?? "";
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <Meta />
        <Links />
      </head>
      <body>
        <NowProvider now={now}>{children}</NowProvider>
        <ScrollPlace nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function Root() {
  return <Outlet />;
}

export function ErrorBoundary() {
  const error = useRouteError();
  return (
    <Frame>
      <ErrorMessage error={error} home={{ to: "/", label: "Go to the start page" }} />
    </Frame>
  );
}

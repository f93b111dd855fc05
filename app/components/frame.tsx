import { Link, useRouteLoaderData } from "@remix-run/react";
import type { ReactNode } from "react";
import type { loader as rootLoader } from "../root.tsx";
import { MainPart } from "./main-part.tsx";

/** A ship's mooring seen from above: the hull in its berth. */
export function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path d="M4 3v18M20 3v18" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      <path d="M12 3c3 3.5 4 7 4 10.5V20H8v-6.5C8 10 9 6.5 12 3Z" fill="currentColor" />
    </svg>
  );
}

/** The mark and the name, leading home. */
export function Brand({ to }: { to: string }) {
  return (
    <Link to={to} className="inline-flex min-h-9 items-center gap-2.5 font-semibold">
      <span className="text-primary">
        <Mark />
      </span>
      Berth
    </Link>
  );
}

/** First thing on every page for who comes by keyboard. */
export function SkipLink() {
  return (
    <a
      href="#main"
      className="fixed top-3 left-3 z-50 -translate-y-20 rounded-field border border-base-300 bg-base-100 px-3 py-2 focus:translate-y-0"
    >
      Skip to the content
    </a>
  );
}

/** Header, main part and footer of all pages but the desk's. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink />
      <header className="border-b border-base-300">
        <div className="mx-auto flex min-h-14 w-full max-w-270 flex-wrap items-center justify-between gap-x-4 px-4 sm:px-6">
          <Brand to="/" />
          <nav
            aria-label="Main"
            className="-mr-3 flex flex-wrap items-center gap-x-1 text-[0.9375rem]"
          >
            <Visitor />
          </nav>
        </div>
      </header>
      <MainPart className="grow">
        <div className="mx-auto w-full max-w-270 px-4 sm:px-6">{children}</div>
      </MainPart>
      <footer className="mt-16 border-t border-base-300">
        <div className="mx-auto flex w-full max-w-270 flex-wrap justify-between gap-x-6 gap-y-1 px-4 py-5 text-sm text-quiet sm:px-6">
          <span>Berth gives every customer a Supabase backend of their own.</span>
          <Link to="/docs/api" className="hover:text-base-content hover:underline">
            API reference
          </Link>
        </div>
      </footer>
    </div>
  );
}

const quietLink = "btn btn-ghost btn-sm text-[0.9375rem] font-medium";

/** Who is signed in, and where they may go. */
function Visitor() {
  const visitor = useRouteLoaderData<typeof rootLoader>("root")?.visitor;
  if (!visitor) {
    return (
      <Link to="/sign-in" className={quietLink}>
        Sign in
      </Link>
    );
  }
  return (
    <>
      <span className="max-w-40 truncate px-2 text-quiet max-sm:hidden" title={visitor.email}>
        {visitor.name}
      </span>
      {visitor.role ? (
        <Link to="/desk" className={quietLink}>
          Desk
        </Link>
      ) : (
        <Link to="/requests" className={quietLink}>
          My requests
        </Link>
      )}
      <form method="post" action="/sign-out">
        <button type="submit" className={quietLink}>
          Sign out
        </button>
      </form>
    </>
  );
}

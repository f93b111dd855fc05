import { Link } from "@remix-run/react";
import type { ReactNode } from "react";

/** A ship's mooring seen from above: the hull in its berth. */
function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <path d="M4 3v18M20 3v18" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
      <path d="M12 3c3 3.5 4 7 4 10.5V20H8v-6.5C8 10 9 6.5 12 3Z" fill="currentColor" />
    </svg>
  );
}

/** Header, main part and footer that all public pages share. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="bar">
        <div className="wrap">
          <Link className="brand" to="/">
            <Mark />
            Berth
          </Link>
          <nav aria-label="Main">
            <Link to="/docs/api">API reference</Link>
          </nav>
        </div>
      </header>
      <main id="main">{children}</main>
      <footer className="foot">
        <div className="wrap">Berth gives every customer a Supabase backend of their own.</div>
      </footer>
    </>
  );
}

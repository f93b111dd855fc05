import type { ReactNode } from "react";

/** A page that says what happened, what it means and what to do. */
export function Message(props: { status?: number; title: string; children: ReactNode }) {
  return (
    <div className="wrap narrow message">
      {props.status ? <p className="status">{props.status}</p> : null}
      <h1>{props.title}</h1>
      {props.children}
    </div>
  );
}

import type { ReactNode } from "react";

/** A page that says what happened, what it means and what to do. */
export function Message(props: { status?: number; title: ReactNode; children: ReactNode }) {
  return (
    <div className="max-w-160 pt-10 sm:pt-20">
      {props.status ? <p className="text-quiet tabular-nums">{props.status}</p> : null}
      <h1 className="text-2xl/8 font-semibold tracking-tight text-balance wrap-anywhere sm:text-3xl/10">
        {props.title}
      </h1>
      <div className="mt-4 grid justify-items-start gap-4">{props.children}</div>
    </div>
  );
}

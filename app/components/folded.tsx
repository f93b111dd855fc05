import type { ReactNode } from "react";

/** What most readers do not need, behind a line that opens it. */
export function Folded({ title, children }: { title: ReactNode; children: ReactNode }) {
  return (
    <details className="mt-3">
      <summary className="inline-flex min-h-6 items-center text-quiet underline underline-offset-2">
        {title}
      </summary>
      <div className="mt-3">{children}</div>
    </details>
  );
}

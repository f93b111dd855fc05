import { type ReactNode, Suspense } from "react";
import { Panel, Skeleton } from "../ui.tsx";
import { useHasScripts } from "../use-has-scripts.ts";

/**
 * A drawing with its numbers as a table below. The drawing is made in the browser alone: it needs
 * style attributes, which the content security policy forbids in a page from the server. Its place
 * has the same height before, during and after; the table needs no scripts.
 */
export function Chart(props: {
  title: string;
  /** What each colour and line means, in words. */
  legend: ReactNode;
  drawing: ReactNode;
  table: ReactNode;
}) {
  const { title, legend, drawing, table } = props;
  const hasScripts = useHasScripts();
  const waiting = (
    <div className="h-full rounded-box bg-base-200 p-4 text-quiet">
      <noscript>Drawn with scripts alone. The same numbers are in the table.</noscript>
      {hasScripts ? <Skeleton lines={5} /> : null}
    </div>
  );
  return (
    <Panel title={title}>
      <div className="mb-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-quiet">{legend}</div>
      <div className="h-56">
        {hasScripts ? <Suspense fallback={waiting}>{drawing}</Suspense> : waiting}
      </div>
      <details className="mt-2">
        <summary className="w-fit text-quiet hover:text-base-content">
          The numbers as a table
        </summary>
        <div className="mt-2">{table}</div>
      </details>
    </Panel>
  );
}

/** One entry of a legend: what is drawn, and its word. */
export function LegendEntry({ mark, children }: { mark: string; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span className={`inline-block shrink-0 ${mark}`} aria-hidden="true" />
      {children}
    </span>
  );
}

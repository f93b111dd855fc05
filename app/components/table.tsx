import { useSearchParams } from "@remix-run/react";
import { ChevronFirst, ChevronLeft, ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { ButtonLink } from "./ui.tsx";

const FOLDS = { sm: "max-sm:folded", xl: "max-xl:folded" };

/**
 * A dense table: rows of 36 px. The page scrolls down; where it is too wide it scrolls sideways in
 * itself, with a shade where there is more.
 * @param foldBelow the width of window below which each row becomes a block. A cell's `data-label`
 *   then stands before it.
 * @param children thead and tbody, as HTML has them
 */
export function Table(props: {
  caption: string;
  foldBelow?: keyof typeof FOLDS;
  children: ReactNode;
}) {
  const { caption, foldBelow, children } = props;
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable
      tabIndex={0}
      aria-label={caption}
      className={`relative overflow-x-auto rounded-box border border-base-300 ${foldBelow ? FOLDS[foldBelow] : ""} scroll-shade`}
    >
      <table className="table table-sm [&_:is(th,td)]:h-9 [&_:is(th,td)]:py-1 [&_tr]:text-sm [&_thead_th]:font-medium [&_thead_th]:whitespace-nowrap [&_thead_th]:text-quiet [&_thead_tr]:bg-base-200">
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </section>
  );
}

/**
 * Leads to the next page and back, keeping the filters. Where a list cannot be read backwards, and
 * so has no `previousCursor` at all, the way back is its first page.
 */
export function Pager(props: {
  nextCursor: string | null;
  previousCursor?: string | null;
  params: URLSearchParams;
}) {
  const { nextCursor, previousCursor, params } = props;
  const [here] = useSearchParams();
  const hasFirst = previousCursor === undefined && here.has("cursor");
  if (!hasFirst && !previousCursor && nextCursor === null) return null;
  const filters = [...params].filter(([name, value]) => name !== "cursor" && value.trim() !== "");
  const to = (...cursor: string[][]) => `?${new URLSearchParams([...filters, ...cursor])}`;
  return (
    <nav aria-label="Pages" className="mt-3 flex justify-end gap-2">
      {hasFirst ? (
        <ButtonLink to={to()} size="sm" icon={ChevronFirst}>
          First page
        </ButtonLink>
      ) : null}
      {previousCursor ? (
        <ButtonLink to={to(["cursor", previousCursor])} size="sm" icon={ChevronLeft}>
          Previous page
        </ButtonLink>
      ) : null}
      {nextCursor === null ? null : (
        <ButtonLink to={to(["cursor", nextCursor])} size="sm" icon={ChevronRight}>
          Next page
        </ButtonLink>
      )}
    </nav>
  );
}

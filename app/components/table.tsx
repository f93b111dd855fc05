import { useSearchParams } from "@remix-run/react";
import type { ReactNode } from "react";
import { ButtonLink } from "./ui.tsx";

/**
 * A dense table: rows of 36 px, its head stays while it scrolls inside itself.
 * @param children thead and tbody, as HTML has them
 */
export function Table({ caption, children }: { caption: string; children: ReactNode }) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable part must be reachable
      tabIndex={0}
      aria-label={caption}
      className="relative max-h-[calc(100dvh-6rem)] overflow-auto rounded-box border border-base-300"
    >
      <table className="table table-pin-rows table-sm [&_:is(th,td)]:h-9 [&_:is(th,td)]:py-1 [&_tr]:text-sm [&_thead_th]:font-medium [&_thead_th]:whitespace-nowrap [&_thead_th]:text-quiet [&_thead_tr]:bg-base-200">
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </section>
  );
}

/** Leads to the next page, keeping the filters, and back to the first. */
export function Pager(props: { nextCursor: string | null; params: URLSearchParams }) {
  const { nextCursor, params } = props;
  const [here] = useSearchParams();
  const isFirst = !here.has("cursor");
  if (isFirst && nextCursor === null) return null;
  const first = new URLSearchParams(params);
  first.delete("cursor");
  const next = new URLSearchParams(params);
  if (nextCursor !== null) next.set("cursor", nextCursor);
  return (
    <nav aria-label="Pages" className="mt-3 flex justify-end gap-2">
      {isFirst ? null : (
        <ButtonLink to={`?${first}`} size="sm">
          First page
        </ButtonLink>
      )}
      {nextCursor === null ? null : (
        <ButtonLink to={`?${next}`} size="sm">
          Next page
        </ButtonLink>
      )}
    </nav>
  );
}

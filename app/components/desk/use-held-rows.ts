import {
  type FocusEvent,
  type PointerEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { mergeRows } from "./merge-rows.ts";

/** Milliseconds that a row takes to its new place. */
const MOTION_MS = 140;

const useBrowserLayoutEffect = typeof document === "undefined" ? useEffect : useLayoutEffect;

/**
 * Rows that never move under a pointer or away from a focus: while somebody is at the list, it is
 * held as it was, brought up to date in place; it falls into its new order when they leave, or ask.
 * `list`: which list this is; another one is shown at once.
 */
export function useHeldRows<Row extends { requestId: string }>(list: string, fresh: Row[]) {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [base, setBase] = useState({ list, rows: fresh });
  const isHeld = isPointed || isFocused;
  const isStale = base.list !== list || (!isHeld && base.rows !== fresh);
  // The state follows what came in: https://react.dev/reference/react/useState#storing-information-from-previous-renders
  if (isStale) setBase({ list, rows: fresh });
  const body = useRef<HTMLTableSectionElement>(null);
  const merged = mergeRows(isStale ? fresh : base.rows, fresh);
  useMotion(body, merged.rows.map(({ requestId }) => requestId).join());
  return {
    ...merged,
    body,
    show: () => setBase({ list, rows: fresh }),
    /** For the element around the rows. */
    hold: {
      // A finger rests nowhere: it taps, or it scrolls.
      onPointerEnter: (event: PointerEvent) => setPointed(event.pointerType === "mouse"),
      // Whose pointer rested here while the page arrived has entered nothing.
      onPointerMove: (event: PointerEvent) => setPointed(event.pointerType === "mouse"),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: FocusEvent) => setFocused(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}

/** Shows where rows went, unless motion is unwelcome. */
function useMotion(body: { current: HTMLTableSectionElement | null }, order: string): void {
  const places = useRef(new Map<string, number>());
  useBrowserLayoutEffect(() => {
    const rows = [...(body.current?.rows ?? [])];
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const now = new Map(rows.map((row) => [row.dataset.request ?? "", row.offsetTop]));
    for (const row of isCalm ? [] : rows) {
      const before = places.current.get(row.dataset.request ?? "");
      const moved = before === undefined ? 0 : before - row.offsetTop;
      if (moved === 0) continue;
      const from = { transform: `translateY(${moved}px)` };
      row.animate([from, { transform: "none" }], { duration: MOTION_MS, easing: "ease-out" });
    }
    places.current = now;
  }, [order]);
}

import { useLocation, useNavigationType } from "@remix-run/react";
import { useEffect, useRef } from "react";

/**
 * For the heading of a page that an act leads to: it has the focus, since what was pressed is gone,
 * and a page that was just entered is seen from its top. The same page read again by itself, or come
 * back to, takes neither.
 */
export function useHeadingAfterAct() {
  const heading = useRef<HTMLHeadingElement>(null);
  const { key, state } = useLocation();
  const isBack = useNavigationType() === "POP";
  const isAfterAct = Boolean((state as { _isRedirect?: boolean } | null)?._isRedirect) && !isBack;
  const hasEntered = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each arrival has a key of its own
  useEffect(() => {
    const isEntered = !hasEntered.current;
    hasEntered.current = true;
    if (!isAfterAct) return;
    if (isEntered) scrollTo(0, 0);
    if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
  }, [key, isAfterAct]);
  return heading;
}

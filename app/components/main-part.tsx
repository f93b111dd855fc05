import { useNavigation } from "@remix-run/react";
import { type ReactNode, useEffect, useState } from "react";

/** What is there sooner needs no sign that it is on its way. */
const SLOW_AFTER_MS = 150;

/** Whether another page, or the answer to a form, has been on its way for a while. */
function useIsSlow(): boolean {
  const isUnderWay = useNavigation().state !== "idle";
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [isUnderWay]);
  return isSlow;
}

/** The main part of a page. While another is slow to come, it is busy and a bar runs at the top. */
export function MainPart({ className, children }: { className: string; children: ReactNode }) {
  const isSlow = useIsSlow();
  return (
    <main
      id="main"
      tabIndex={-1}
      aria-busy={isSlow || undefined}
      className={`outline-none ${className}`}
    >
      {isSlow ? (
        <progress
          aria-label="Loading"
          className="progress fixed inset-x-0 top-0 z-50 h-1 w-full rounded-none text-primary"
        />
      ) : null}
      {children}
    </main>
  );
}

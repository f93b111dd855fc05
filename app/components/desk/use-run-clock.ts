import { useEffect, useState } from "react";
import type { RunReport } from "#app/domain/provisioning/index.server.ts";

/** How often the bar of a running step grows, in milliseconds. */
const TICK_MS = 500;

/** Milliseconds since the epoch by the server's clock; it goes on while the run does. */
export function useRunClock(run: Pick<RunReport, "now" | "status">): number {
  const given = Date.parse(run.now);
  const [elapsed, setElapsed] = useState(0);
  const isRunning = run.status === "running";
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer of the server sets the clock
  useEffect(() => {
    setElapsed(0);
    if (!isRunning) return;
    const begin = performance.now();
    const timer = setInterval(() => setElapsed(performance.now() - begin), TICK_MS);
    return () => clearInterval(timer);
  }, [given, isRunning]);
  return given + elapsed;
}

import { Radio, RefreshCw } from "lucide-react";
import type { LiveStatus } from "./live-connection.ts";
import { useHasScripts } from "./use-has-scripts.ts";

const WORDS: Record<LiveStatus, string> = {
  connecting: "Connecting …",
  live: "Live",
  polling: "Checking every 10 s",
};

/** Whether the page changes by itself. Without scripts it does not, and this says nothing. */
export function LiveState({ state }: { state: LiveStatus }) {
  const hasScripts = useHasScripts();
  const Icon = state === "live" ? Radio : RefreshCw;
  return (
    <span
      className={`inline-flex items-center gap-1.5 text-sm whitespace-nowrap text-quiet ${
        hasScripts ? "" : "invisible"
      }`}
      data-live={state}
    >
      <Icon size={14} aria-hidden="true" className={state === "live" ? "text-primary" : ""} />
      {WORDS[state]}
    </span>
  );
}

import { useEffect, useRef, useState } from "react";
import type { RehearsalAnswer } from "#app/web/rehearsal.server.ts";

type State = { phase: "idle" } | { phase: "running" } | { phase: "over"; answer: RehearsalAnswer };

const LOST: RehearsalAnswer = {
  problem: {
    code: "rehearsal_lost",
    text: "The rehearsal was cut off.",
    found: "no answer from Berth",
    needed: "your connection to Berth",
    fix: "Rehearse again. Whatever it was at is rolled back by the database itself.",
  },
};

const SIGNED_OUT: RehearsalAnswer = {
  problem: {
    code: "signed_out",
    text: "You are signed out, so nothing was rehearsed.",
    fix: "Sign in again in another tab, then rehearse again: what you pasted stays here.",
  },
};

/** A rehearsal that a press begins; leaving the page ends the wait for it, not the rehearsal. */
export function useRehearsal(url: string) {
  const [state, setState] = useState<State>({ phase: "idle" });
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  return {
    state,
    /** @param body the pasted values; empty for those that Berth has */
    async rehearse(body: string) {
      current.current?.abort();
      current.current = new AbortController();
      const { signal } = current.current;
      setState({ phase: "running" });
      const answer = await ask(url, body, signal).catch(() => LOST);
      if (!signal.aborted) setState({ phase: "over", answer });
    },
  };
}

async function ask(url: string, body: string, signal: AbortSignal): Promise<RehearsalAnswer> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body,
    signal,
  });
  const isOurs = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (answer.redirected && !isOurs) return SIGNED_OUT;
  return isOurs ? ((await answer.json()) as RehearsalAnswer) : LOST;
}

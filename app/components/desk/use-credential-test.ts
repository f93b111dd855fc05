import { useEffect, useRef, useState } from "react";
import type { CheckLine } from "#app/domain/backends/index.server.ts";
import type {
  CheckMessage,
  CredentialField,
  CredentialsAnswer,
} from "#app/web/credentials.server.ts";

export interface TestState {
  phase: "untested" | "testing" | "tested" | "changed";
  lines: CheckLine[];
  answer: CredentialsAnswer;
}

const LOST: CredentialsAnswer = {
  problem: {
    code: "test_lost",
    text: "The test was cut off.",
    fix: "Check your connection to Berth, and test again.",
  },
};

const SIGNED_OUT: CredentialsAnswer = {
  problem: {
    code: "signed_out",
    text: "You are signed out, so nothing was tested.",
    fix: "Sign in again in another tab, then test again: what you pasted stays here.",
  },
};

const TOO_LARGE: CredentialsAnswer = {
  problem: {
    code: "too_large",
    text: "Together, the values are far longer than any project’s.",
    fix: "Look for a value that was pasted twice, or with something else.",
  },
};

/** What the run would do, once all lines hold and as long as no value is changed. */
export const planOf = ({ phase, answer }: TestState) =>
  phase === "tested" ? answer.plan : undefined;

const begin = (answer: CredentialsAnswer | undefined): TestState => ({
  phase: answer ? "tested" : "untested",
  lines: answer?.lines ?? [],
  answer: answer ?? {},
});

/**
 * The connection test of a form, line by line as they arrive. It holds for exactly the values that
 * were tested: any change closes it again. `told` is what an act of the page was answered with.
 */
export function useCredentialTest(url: string, told: CredentialsAnswer | undefined) {
  const [state, setState] = useState(() => begin(told));
  const running = useRef<AbortController>(undefined);
  const tested = useRef<string>(undefined);

  useEffect(() => {
    if (!told) return;
    // Another plan is no news about the lines, which held.
    setState((before) => ({
      ...begin(told),
      lines: told.lines ?? (told.plan ? before.lines : []),
    }));
  }, [told]);
  useEffect(() => () => running.current?.abort(), []);

  return {
    state,
    /** Whether the plan that is shown is that of what stands in this form now. */
    isOpenFor: (form: HTMLFormElement) =>
      planOf(state) !== undefined && tested.current === valuesOf(form),
    changed() {
      running.current?.abort();
      setState((before) =>
        before.phase === "untested" ? before : { ...before, phase: "changed" },
      );
    },
    async test(form: HTMLFormElement) {
      running.current?.abort();
      const current = new AbortController();
      running.current = current;
      const values = valuesOf(form);
      const lines: CheckLine[] = [];
      setState({ phase: "testing", lines: [], answer: {} });
      const answer = await askFor(url, values, current.signal, (line) => {
        lines.push(line);
        if (!current.signal.aborted) setState({ phase: "testing", lines: [...lines], answer: {} });
      }).catch(() => LOST);
      if (current.signal.aborted) return;
      tested.current = values;
      setState({ phase: "tested", lines: answer.lines ?? [], answer });
    },
  };
}

const VALUES: CredentialField[] = ["url", "anonKey", "serviceRoleKey", "databaseUrl"];

/** The values in the form, as they are sent. They go nowhere but into the body of a POST. */
export function valuesOf(form: HTMLFormElement): string {
  const given = new FormData(form);
  return new URLSearchParams(VALUES.map((name) => [name, `${given.get(name)}`])).toString();
}

/** Sends the values and reads the answer as it is written. */
async function askFor(
  url: string,
  values: string,
  signal: AbortSignal,
  onLine: (line: CheckLine) => void,
): Promise<CredentialsAnswer> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: values,
    signal,
  });
  if (answer.status === 413) return TOO_LARGE;
  const isOurs = answer.headers.get("Content-Type")?.startsWith("application/x-ndjson");
  if (answer.redirected && !isOurs) return SIGNED_OUT;
  if (!isOurs || !answer.body) return LOST;
  let end: CredentialsAnswer = LOST;
  let rest = "";
  const decoder = new TextDecoder();
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return end;
    const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      const { line, ...message } = JSON.parse(part) as CheckMessage;
      if (line) onLine(line);
      else end = message;
    }
  }
}

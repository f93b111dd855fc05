import type { BrowserContext } from "@playwright/test";

/**
 * Chromium reports every answer of 400 and above, and every cut stream: specs provoke those. The
 * web socket is the development server's, which others may be restarting.
 */
const PROVOKED = /^(Failed to load resource|WebSocket connection)/;

/** Remix leaves this uncaught where a navigation overtakes a page's reading itself anew. */
const OVERTAKEN = /^AbortError: BodyStreamBuffer was aborted/;

/**
 * Collects what no page may ever have: an error on the console (a broken policy and a failed
 * hydration are told there), and an exception that nobody caught.
 */
export function watchForErrors(context: BrowserContext, problems: string[]): void {
  context.on("console", (message) => {
    if (message.type() !== "error" || PROVOKED.test(message.text())) return;
    problems.push(`${message.page()?.url()}: ${message.text()}`);
  });
  context.on("weberror", (problem) => {
    const { stack, message } = problem.error();
    const text = stack ?? message;
    if (!OVERTAKEN.test(text)) problems.push(`${problem.page()?.url()}: ${text}`);
  });
}

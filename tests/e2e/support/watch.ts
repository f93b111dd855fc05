import type { BrowserContext } from "@playwright/test";

/**
 * Chromium reports every answer of 400 and above, and every cut stream: specs provoke those. The
 * web socket is the development server's, which others may be restarting.
 */
const PROVOKED = /^(Failed to load resource|WebSocket connection)/;

/**
 * Where a navigation overtakes a page's reading itself anew, Remix logs this or leaves it uncaught,
 * by how far the answer had come.
 */
const OVERTAKEN = /^AbortError: BodyStreamBuffer was aborted/;

/**
 * Collects what no page may ever have: an error on the console (a broken policy and a failed
 * hydration are told there), and an exception that nobody caught.
 */
export function watchForErrors(context: BrowserContext, problems: string[]): void {
  context.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error" || PROVOKED.test(text) || OVERTAKEN.test(text)) return;
    problems.push(`${message.page()?.url()}: ${text}`);
  });
  context.on("weberror", (problem) => {
    const { stack, message } = problem.error();
    const text = stack ?? message;
    if (!OVERTAKEN.test(text)) problems.push(`${problem.page()?.url()}: ${text}`);
  });
}

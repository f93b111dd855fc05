import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Refusal, RetryLook } from "#app/web/desk-acts.server.ts";
import { ActAnswer } from "./act-answer.tsx";
import { PlanOfRetry } from "./plan-of-retry.tsx";

const LINES: RetryLook = { lines: [] };
const REFUSAL: Refusal = {
  problem: { code: "credentials_refused", text: "These credentials cannot be used." },
  since: null,
  changes: [
    {
      id: 7,
      kind: "cancelled",
      at: "2026-11-20T12:00:00.000Z",
      actor: { kind: "staff", id: "lou", name: "Lou" },
      data: {},
    },
  ],
};
const OPEN = { status: "failed", standing: "mine" } as const;
const GONE = [
  { status: "cancelled", standing: "ended" },
  { status: "migrating", standing: "machine" },
  { status: "failed", standing: "held" },
] as const;

const shown = (
  request: typeof OPEN | (typeof GONE)[number],
  looked: { look: RetryLook | null; refusal: Refusal | null },
) =>
  renderToStaticMarkup(
    <ActAnswer request={request} looked={looked}>
      No answer
    </ActAnswer>,
  );

it("leaves to the button to retry what stands beside it, with what changed meanwhile", () => {
  expect(shown(OPEN, { look: LINES, refusal: REFUSAL })).toBe("");
  const beside = renderToStaticMarkup(<PlanOfRetry look={LINES} refusal={REFUSAL} />);
  expect(beside).toContain("These credentials cannot be used.");
  expect(beside).toMatch(/What changed since you opened this page:.*by Lou/);
});

it.each(GONE)("says why an act was refused where nothing can be retried: %j", (request) => {
  const page = shown(request, { look: LINES, refusal: REFUSAL });
  expect(page).toContain("These credentials cannot be used.");
  expect(page).toContain("by Lou");
});

it.each(GONE)("says that the request moved on where a plan can be shown no more: %j", (request) => {
  expect(shown(request, { look: LINES, refusal: null })).toContain("The request has moved on");
});

it("says a refusal without a look at once; without an answer, what the page has to say", () => {
  expect(shown(OPEN, { look: null, refusal: REFUSAL })).toContain("These credentials");
  expect(shown(OPEN, { look: null, refusal: null })).toBe("No answer");
});

import type { ReactNode } from "react";
import { Notice } from "../notice.tsx";
import { isRetryOpen, type Looked } from "./plan-of-retry.tsx";
import { RefusedAct } from "./refused-act.tsx";
import type { RequestOnPage } from "./request-on-page.ts";

/**
 * What the page says first of its last act; nothing where that stands beside the button to retry.
 * That button may be gone since: somebody else acted while the plan was made, or while it was read.
 * @param children what the page says where there is no answer
 */
export function ActAnswer(props: {
  request: Pick<RequestOnPage, "status" | "standing">;
  looked: Pick<Looked, "look" | "refusal">;
  children: ReactNode;
}) {
  const { request, looked, children } = props;
  const { look, refusal } = looked;
  if (look && isRetryOpen(request)) return null;
  if (refusal) return <RefusedAct {...refusal} />;
  if (!look) return children;
  return (
    <Notice tone="warning" title="The request has moved on" live>
      <p>
        What a retry would do is not shown any more, since there is nothing to retry now. The page
        shows how things stand.
      </p>
    </Notice>
  );
}

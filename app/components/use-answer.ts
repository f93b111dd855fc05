import { useActionData, useLocation } from "@remix-run/react";
import { useRef } from "react";

/**
 * What the page's last act was answered with, until the person goes on. Remix forgets it as soon as
 * a live page reads its loaders again, and a message would vanish while it is being read.
 */
export function useAnswer<Action>() {
  const answer = useActionData<Action>();
  const { key } = useLocation();
  const kept = useRef<{ key: string; answer: typeof answer }>(undefined);
  if (answer !== undefined) kept.current = { key, answer };
  return kept.current?.key === key ? kept.current.answer : undefined;
}

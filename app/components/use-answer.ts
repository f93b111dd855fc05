import { useActionData, useLocation } from "@remix-run/react";
import { useRef } from "react";

/**
 * What the page's last act was answered with, until the person goes on. Remix forgets it as soon as
 * a live page reads its loaders again, or a link leads to another place of the same page: a message
 * would vanish while it is being read, and a form's errors with the first that is followed.
 */
export function useAnswer<Action>() {
  const answer = useActionData<Action>();
  const { key, pathname, search, hash } = useLocation();
  const page = `${pathname}${search}`;
  const kept = useRef<{ page: string; keys: Set<string>; answer: typeof answer }>(undefined);
  if (answer !== undefined) kept.current = { page, keys: new Set([key]), answer };
  else if (hash !== "" && kept.current?.page === page) kept.current.keys.add(key);
  return kept.current?.keys.has(key) ? kept.current.answer : undefined;
}

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
  const kept = useRef<{ key: string; page: string; answer: typeof answer }>(undefined);
  if (answer !== undefined) {
    kept.current = { key, page, answer };
  } else if (kept.current && (kept.current.key !== key || kept.current.page !== page)) {
    const isPlaceOfIt = kept.current.page === page && hash !== "";
    kept.current = isPlaceOfIt ? { ...kept.current, key } : undefined;
  }
  return kept.current?.answer;
}

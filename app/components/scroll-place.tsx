import { ScrollRestoration } from "@remix-run/react";
import { type ContextType, useContext, useState } from "react";
import { UNSAFE_DataRouterStateContext } from "react-router";

type RouterState = NonNullable<ContextType<typeof UNSAFE_DataRouterStateContext>>;
type Scrolling = Pick<RouterState, "restoreScrollPosition" | "preventScrollReset">;

/** A page that was just loaded stands where the browser, or Remix's script in the page, has put it. */
const AS_LOADED: Scrolling = { restoreScrollPosition: false, preventScrollReset: true };

/**
 * Scrolls a page when somebody arrives at it, and never after that. By itself the router does so,
 * too, whenever a page has read itself anew: it takes it back to where it stood when the reading
 * began, whatever has been scrolled since. So Remix's part is told of each arrival alone.
 */
export function ScrollPlace({ nonce }: { nonce: string | undefined }) {
  const router = useContext(UNSAFE_DataRouterStateContext);
  const here = router?.location.key;
  const [arrived, setArrived] = useState({ key: here, scrolling: AS_LOADED });
  // While rendering: after it, Remix's part would have scrolled.
  if (router && arrived.key !== here) {
    const { restoreScrollPosition, preventScrollReset } = router;
    setArrived({ key: here, scrolling: { restoreScrollPosition, preventScrollReset } });
  }
  const told = router && { ...router, ...arrived.scrolling };
  return (
    <UNSAFE_DataRouterStateContext.Provider value={told}>
      <ScrollRestoration nonce={nonce} />
    </UNSAFE_DataRouterStateContext.Provider>
  );
}

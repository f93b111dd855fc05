import { useLocation, useRevalidator } from "@remix-run/react";
import { useCallback, useContext, useEffect, useRef, useState } from "react";
import { UNSAFE_DataRouterContext } from "react-router";
import { type LiveStatus, openLiveConnection, type Place } from "./live-connection.ts";

/** However much happens, a page is not read more often than this, unless it says otherwise. */
const REVALIDATE_EVERY_MS = 300;

/**
 * Keeps a page live: whenever the stream at `url` tells of a change, the page's loaders are read
 * again. Where it gets no stream it looks every ten seconds.
 * @param options.onPlace told a customer's place in the queue, which costs no reading
 * @param options.everyMs how often the page is read at most; for one that costs much to read
 */
export function useLive(
  url: string,
  {
    onPlace,
    everyMs = REVALIDATE_EVERY_MS,
  }: { onPlace?: (place: Place) => void; everyMs?: number } = {},
): LiveStatus {
  const [status, setStatus] = useState<LiveStatus>("connecting");
  const readAgain = useCalmRevalidation(everyMs);
  const placed = useRef(onPlace);
  placed.current = onPlace;
  useEffect(
    () =>
      openLiveConnection({
        url,
        onChange: readAgain,
        onPlace: (place) => placed.current?.(place),
        onStatus: setStatus,
      }),
    [url, readAgain],
  );
  return status;
}

/**
 * Reads the loaders again, soon, and never while they are being read, by us or on the way to another
 * page: that would begin anew, and cut off what is arriving. The router itself is asked, since what
 * React has shown of it may be old by then. Nor before React shows where the router is: the router
 * would take how far the page before was scrolled for the new one's, and scroll that there.
 */
function useCalmRevalidation(everyMs: number): () => void {
  const { revalidate } = useRevalidator();
  const router = useContext(UNSAFE_DataRouterContext)?.router;
  const read = useRef(() => {});
  const isBusy = useRef((): boolean => false);
  const { key } = useLocation();
  const shown = useRef(key);
  useEffect(() => {
    shown.current = key;
  }, [key]);
  read.current = revalidate;
  isBusy.current = () =>
    router !== undefined &&
    (router.state.revalidation !== "idle" ||
      router.state.navigation.state !== "idle" ||
      router.state.location.key !== shown.current);
  const last = useRef(Number.NEGATIVE_INFINITY);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const schedule = useCallback((waitMs: number) => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      if (isBusy.current()) return schedule(REVALIDATE_EVERY_MS);
      last.current = performance.now();
      read.current();
    }, waitMs);
  }, []);

  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );

  return useCallback(() => {
    schedule(Math.max(0, last.current + everyMs - performance.now()));
  }, [schedule, everyMs]);
}

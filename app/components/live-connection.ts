import { takeSlot } from "./live-slots.ts";

/** Where a customer's request stands in the queue; `position` is the number of requests ahead. */
export interface Place {
  position: number | null;
  waiting: number;
}

/**
 * live: told of each change at once; polling: the stream is blocked, or as many pages as may are live
 * in this browser, so we look from time to time.
 */
export type LiveStatus = "connecting" | "live" | "polling";

/** A stream that says nothing for so long is blocked or gone; its heart beats every 15 s. */
const FIRST_WORD_MS = 8_000;
const SILENCE_MS = 40_000;
const POLL_EVERY_MS = 10_000;
/** After so long without a slot, others have them all. */
const SLOT_MS = 1_000;
/** How long we wait before we try to get a blocked stream back: 2 s, 4 s … up to half a minute. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 30_000;
/**
 * A page that nobody has looked at for so long rests, and catches up when somebody does: there are
 * few slots, and those who look need them.
 */
const HIDDEN_MS = 10_000;

/**
 * Keeps a page told of changes until the function returned is called. `onChange` says that
 * something may have changed: after each event, after each new connection (nobody knows what was
 * missed before it), and every ten seconds while there is no stream.
 */
export function openLiveConnection(options: {
  url: string;
  onChange: () => void;
  onPlace: (place: Place) => void;
  onStatus: (status: LiveStatus) => void;
}): () => void {
  const { url, onChange, onStatus } = options;
  let source: EventSource | null = null;
  let leaveSlot = () => {};
  let isLive = false;
  let failures = 0;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let polling: ReturnType<typeof setInterval> | undefined;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let isAsleep = false;

  function connect(): void {
    hangUp();
    if (typeof EventSource === "undefined") {
      poll();
      return;
    }
    watchdog = setTimeout(poll, SLOT_MS);
    leaveSlot = takeSlot(openStream);
  }

  function openStream(): void {
    clearTimeout(watchdog);
    source = new EventSource(url);
    watchdog = setTimeout(failed, FIRST_WORD_MS);
    source.addEventListener("alive", heard);
    for (const kind of ["message", "progress", "refresh"]) {
      source.addEventListener(kind, () => {
        heard();
        look();
      });
    }
    source.addEventListener("position", ({ data }) => {
      heard();
      options.onPlace(JSON.parse(data));
    });
    source.onerror = dropped;
  }

  /** The browser tries once by itself, and names the last event it knows; then it is our turn. */
  function dropped(): void {
    if (!isLive || source?.readyState !== EventSource.CONNECTING) {
      failed();
      return;
    }
    isLive = false;
    onStatus("connecting");
    clearTimeout(watchdog);
    watchdog = setTimeout(failed, FIRST_WORD_MS);
  }

  /** The first word, not the open connection, proves that nothing between us holds words back. */
  function heard(): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(failed, SILENCE_MS);
    failures = 0;
    if (isLive) return;
    isLive = true;
    stopPolling();
    onStatus("live");
    look();
  }

  /** Browsers may believe that there is no network when there is: then the server is asked. */
  function look(): void {
    if (navigator.onLine) onChange();
    else void lookIfReachable();
  }

  function failed(): void {
    hangUp();
    failures += 1;
    poll();
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
    // Spread, since many may have lost the same server.
    retry = setTimeout(connect, waitMs * (0.5 + Math.random() / 2));
  }

  function hangUp(): void {
    clearTimeout(watchdog);
    clearTimeout(retry);
    source?.close();
    source = null;
    leaveSlot();
    isLive = false;
  }

  function poll(): void {
    if (polling !== undefined) return;
    onStatus("polling");
    polling = setInterval(lookIfReachable, POLL_EVERY_MS);
    void lookIfReachable();
  }

  /** A look at a server that cannot be reached would put an error in place of the page. */
  async function lookIfReachable(): Promise<void> {
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => null);
    if (answer?.ok && (isLive || polling !== undefined)) onChange();
  }

  function stopPolling(): void {
    clearInterval(polling);
    polling = undefined;
  }

  function fallAsleep(): void {
    isAsleep = true;
    hangUp();
    stopPolling();
    rest = undefined;
    onStatus("connecting");
  }

  function onVisibility(): void {
    if (document.visibilityState === "hidden") {
      rest ??= setTimeout(fallAsleep, HIDDEN_MS);
      return;
    }
    clearTimeout(rest);
    rest = undefined;
    if (isAsleep) {
      isAsleep = false;
      connect();
    } else if (polling !== undefined) {
      void lookIfReachable();
    }
  }

  /** The network is back: there is nothing to wait for. */
  function onOnline(): void {
    if (!isLive && !isAsleep) connect();
  }

  /** Some browsers keep a stream that has lost its network: nothing would come, and no error. */
  function onOffline(): void {
    if (!isAsleep) failed();
  }

  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", onOnline);
  window.addEventListener("offline", onOffline);
  // Opened in the background: it begins when somebody looks.
  isAsleep = document.visibilityState === "hidden";
  if (!isAsleep) connect();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", onOnline);
    window.removeEventListener("offline", onOffline);
    clearTimeout(rest);
    hangUp();
    stopPolling();
  };
}

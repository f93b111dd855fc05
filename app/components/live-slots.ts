/**
 * By HTTP/1.1 a browser opens six connections to one server, for all its tabs together. A stream
 * keeps one for as long as its page lives: four may, and two are left for everything else.
 */
const SLOTS = ["berth-live-1", "berth-live-2", "berth-live-3", "berth-live-4"];
/** Who holds this is the next to get a slot; the others queue for it. */
const TURN = "berth-live-turn";

/**
 * Calls `onTaken` as soon as this browser has room for another stream; who asked first gets it first.
 * A page that closes leaves its slot by itself.
 * @returns how to leave the slot, or to wait no longer
 */
export function takeSlot(onTaken: () => void): () => void {
  // Browsers have locks only where a page came encrypted, or from this machine.
  if (!("locks" in navigator)) {
    onTaken();
    return () => {};
  }
  const { locks } = navigator;
  const leaving = new AbortController();
  const { signal } = leaving;
  const left = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });

  /** Asks for every slot, keeps the first that comes, and takes the other wishes back. */
  function takeFirst(): Promise<void> {
    const others = new AbortController();
    void left.then(() => others.abort());
    return new Promise((resolve) => {
      others.signal.addEventListener("abort", () => resolve());
      for (const slot of SLOTS) {
        const wish = locks.request(slot, { signal: others.signal }, () => {
          // Two may come at once.
          if (others.signal.aborted || signal.aborted) return;
          others.abort();
          onTaken();
          return left;
        });
        wish.catch(() => {});
      }
    });
  }

  locks.request(TURN, { signal }, takeFirst).catch(() => {
    // A browser that keeps nothing for this site refuses locks, too.
    if (!signal.aborted) onTaken();
  });
  return () => leaving.abort();
}

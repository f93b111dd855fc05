const undos: (() => Promise<unknown>)[] = [];

/** Has this done when the bench is over: it succeeded, failed or was broken off. The newest first. */
export function atEnd(undo: () => Promise<unknown>): void {
  undos.push(undo);
}

/** Resolves with null when SIGINT or SIGTERM broke it off. It leaves nothing behind in any case. */
export async function toItsEnd<T>(bench: () => Promise<T>): Promise<T | null> {
  const { promise: brokenOff, resolve, reject } = Promise.withResolvers<null>();
  const breakOff = () => resolve(null);
  // Also what fails because the database below it is gone.
  process.on("uncaughtException", reject);
  process.once("SIGINT", breakOff).once("SIGTERM", breakOff);
  try {
    return await Promise.race([bench(), brokenOff]);
  } finally {
    for (let undo = undos.pop(); undo; undo = undos.pop()) await undo().catch(console.error);
    process.off("SIGINT", breakOff).off("SIGTERM", breakOff).off("uncaughtException", reject);
  }
}

/**
 * Loaded ahead of both servers of the bench `live`: says over IPC what memory its process holds,
 * after a full collection.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

process.on("message", (message) => {
  if (message !== "memory") return;
  collect();
  process.send?.({ rss: process.memoryUsage.rss() });
});

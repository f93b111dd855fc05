/**
 * The watchers of the bench `live`: raw sockets in a process of their own, so that they take as
 * little as may be of what is measured. Told over IPC what to open and when a change is coming,
 * it answers when each stream received it, in milliseconds of the machine's monotonic clock.
 */
import { connect, type Socket } from "node:net";

/** What the clients are told. */
export type Order =
  | { type: "open"; port: number; path: string; cookies: string[] }
  | { type: "expect" };
/** What they answer. */
export type Answer =
  | { type: "opened" }
  | { type: "expecting" }
  | { type: "received"; at: number[] }
  | { type: "failed"; reason: string };

/** How many streams are being opened at once. */
const OPENING = 32;
const ID = Buffer.from("id: ");
const NEWLINE = 10;
const ZERO = 48;

/** Reads of all sockets: each is read to the end before the next one. */
const shared = Buffer.alloc(65_536);

let times = new Float64Array();
let missing = 0;
/** The id of the change before; whatever is not newer is no answer to this one. */
let before = 0;
let newest = 0;

const answer = (message: Answer) => process.send?.(message);
/** A fault that comes while nobody waits is told when the next change is expected. */
let fault: string | undefined;
const fail = (reason: string) => {
  fault ??= reason;
  answer({ type: "failed", reason });
};

/** The id of the event in these bytes of a stream; 0 if there is none. */
function eventId(bytes: Buffer): number {
  const begin = bytes.indexOf(ID);
  if (begin < 0) return 0;
  let id = 0;
  for (let at = begin + ID.length; at < bytes.length && bytes[at] !== NEWLINE; at += 1) {
    id = id * 10 + (bytes[at] ?? ZERO) - ZERO;
  }
  return id;
}

function receive(index: number, bytes: Buffer): void {
  if (missing === 0 || times[index] !== 0) return;
  const id = eventId(bytes);
  if (id <= before) return;
  times[index] = Number(process.hrtime.bigint()) / 1e6;
  newest = id;
  missing -= 1;
  if (missing === 0) answer({ type: "received", at: [...times] });
}

/** Resolves when the server has begun its stream. */
function openStream(index: number, port: number, head: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let isAccepted = false;
    let isOpen = false;
    const socket: Socket = connect({
      host: "127.0.0.1",
      port,
      onread: {
        buffer: shared,
        callback(length, buffer) {
          const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, length);
          if (isOpen) {
            receive(index, bytes);
            return true;
          }
          isAccepted ||= bytes.toString("latin1", 9, 12) === "200";
          if (!isAccepted) reject(new Error(`A stream was refused: ${bytes.toString("latin1")}`));
          isOpen = isAccepted && bytes.includes("retry: ");
          if (isOpen) resolve();
          return true;
        },
      },
    });
    socket.on("error", (error) => (isOpen ? fail(error.message) : reject(error)));
    socket.on("close", () => fail("A stream ended."));
    socket.write(head);
  });
}

async function openAll({ port, path, cookies }: Extract<Order, { type: "open" }>): Promise<void> {
  const known = times.length;
  let next = 0;
  const openSome = async () => {
    while (next < cookies.length) {
      const index = next;
      next += 1;
      const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookies[index]}\r\n\r\n`;
      await openStream(known + index, port, head);
    }
  };
  await Promise.all(Array.from({ length: OPENING }, openSome));
  times = new Float64Array(known + cookies.length);
  answer({ type: "opened" });
}

process.on("message", (order: Order) => {
  if (order.type === "open") {
    openAll(order).catch(({ message }) => fail(message));
  } else if (fault !== undefined) {
    fail(fault);
  } else {
    before = newest;
    times.fill(0);
    missing = times.length;
    answer({ type: "expecting" });
  }
});
process.on("disconnect", () => process.exit());

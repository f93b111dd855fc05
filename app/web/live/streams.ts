import express, { type RequestHandler, type Response } from "express";
import { validate as isUuid } from "uuid";
import { type Auth, readVisitor, type Visitor } from "#app/domain/identity/index.server.ts";
import { eventsSince, findRequest } from "#app/domain/queue/index.server.ts";
import type { Logger } from "#app/platform/log.ts";
import { type Actor, asActor, type Db } from "#db/index.ts";
import { HOUSE } from "./event-reader.ts";
import { customerFrame, eventFrame, HEARTBEAT, REFRESH, retryFrame } from "./frames.ts";
import type { Hub } from "./hub.ts";
import { type Watcher, WHOLE_QUEUE } from "./watchers.ts";

export interface StreamsOptions {
  hub: Hub;
  db: Db;
  auth: Auth;
  log: Logger;
  /** Aborted from the beginning of the shutdown: the streams end at once. */
  stopping: AbortSignal;
  /** How long a stream lives, in milliseconds; a quarter of an hour unless told. */
  lifetimeMs?: number;
}

const LIFETIME_MS = 15 * 60_000;
/** A client that reads slower than this fills up is cut off; it comes back and catches up. */
export const MOST_BUFFERED_BYTES = 64 * 1024;
/** More than this is not told one by one. */
const MOST_REPLAYED = 200;

/** GET /live/queue and GET /live/requests/:id: streams of server-sent events. */
export function liveStreams(options: StreamsOptions): RequestHandler {
  const { hub, db, auth, log, stopping } = options;
  stopping.addEventListener("abort", () => hub.endStreams());

  /** Opens a stream for whoever may have it; `mayWatch` says as what, or null for nothing there. */
  const stream =
    (
      topicOf: (params: Record<string, string>) => Watcher["topic"],
      mayWatch: (visitor: Visitor, topic: Watcher["topic"]) => Promise<"staff" | "customer" | null>,
    ): RequestHandler =>
    async (request, response, next) => {
      try {
        const visitor = await readVisitor({ auth, db }, headersOf(request.headers.cookie));
        if (!visitor) return refuse(response, 401, "Sign in first.");
        const topic = topicOf(request.params);
        const as = await mayWatch(visitor, topic);
        if (as === null) {
          const { correlationId } = response.locals;
          log.warn(
            { userId: visitor.userId, topic: describe(topic), correlationId },
            "a stream was refused",
          );
          return refuse(response, 404, "There is nothing here.");
        }
        if (request.method === "HEAD") return void response.set(HEADERS).end();
        await open(response, {
          sessionId: visitor.sessionId,
          userId: visitor.userId,
          topic,
          isCustomer: as === "customer",
          since: /^\d{1,15}$/.exec(request.get("last-event-id") ?? "")?.[0],
        });
      } catch (error) {
        // Before the headers this becomes an answer; afterwards the stream breaks off, as it should.
        next(error);
      }
    };

  async function open(
    response: Response,
    wish: Pick<Watcher, "sessionId" | "userId" | "topic" | "isCustomer"> & {
      since: string | undefined;
    },
  ): Promise<void> {
    const { since, ...who } = wish;
    const lifetimeMs = options.lifetimeMs ?? LIFETIME_MS;
    const watcher: Watcher = {
      ...who,
      // Not all at once: neither the ends nor the returns.
      endsAt: performance.now() + lifetimeMs * (0.9 + Math.random() * 0.2),
      send: (frame) => writeFrame(response, frame, log),
      end: () => void response.end(),
    };
    // Gone while we asked who it is: its close has been told already.
    if (response.destroyed) return;
    const stopWatching = hub.watch(watcher);
    if (stopWatching === "person") return refuse(response, 429, "Too many pages are open.");
    if (stopWatching === "process") return refuse(response, 503, "Come back in a moment.");
    response.on("close", stopWatching);
    // Express's routers hang on this; each open stream would keep them in memory.
    response.req.next = undefined;
    response.status(200).set(HEADERS);
    response.flushHeaders();
    watcher.send(retryFrame(1_000 + Math.random() * 2_000));
    watcher.send(HEARTBEAT);
    // Watched already while this is read, so nothing falls between; some of it may come twice.
    if (since !== undefined) await replay(watcher, Number(since));
  }

  async function replay(watcher: Watcher, since: number): Promise<void> {
    const requestId = typeof watcher.topic === "string" ? watcher.topic : undefined;
    const events = await asActor(db, HOUSE, (tx) =>
      eventsSince(tx, since, { requestId, limit: MOST_REPLAYED + 1 }),
    );
    if (events.length > MOST_REPLAYED) return watcher.send(REFRESH);
    const frameOf = watcher.isCustomer ? customerFrame : eventFrame;
    for (const event of events) watcher.send(frameOf(event));
  }

  const exists = async (kind: Actor["kind"], { userId }: Visitor, requestId: string) =>
    isUuid(requestId) &&
    (await asActor(db, { kind, id: userId, origin: "", correlationId: "" }, (tx) =>
      findRequest(tx, requestId),
    )) !== null;

  const router = express.Router();
  router.get(
    "/live/queue",
    stream(
      () => WHOLE_QUEUE,
      async (visitor) => (visitor.role === null ? null : "staff"),
    ),
  );
  router.get(
    "/live/requests/:requestId",
    stream(
      ({ requestId = "" }) => requestId.toLowerCase(),
      async (visitor, topic) => {
        const requestId = String(topic);
        // Row-level security answers whose it is. Who is on the staff may be a customer, too.
        if (await exists("customer", visitor, requestId)) return "customer";
        const isStaff = visitor.role !== null && (await exists("staff", visitor, requestId));
        return isStaff ? "staff" : null;
      },
    ),
  );
  return router;
}

const HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  "Cache-Control": "no-store, no-transform",
  // A proxy that collects the answer before it passes it on would make it late.
  "X-Accel-Buffering": "no",
};

function headersOf(cookie: string | undefined): Headers {
  return new Headers(cookie === undefined ? {} : { cookie });
}

/** For the log: an id, or the words of somebody who tries. */
const describe = (topic: Watcher["topic"]) =>
  topic === WHOLE_QUEUE ? "queue" : isUuid(topic) ? topic : "no id";

function refuse(response: Response, status: number, text: string): void {
  response.status(status).set("Cache-Control", "no-store");
  if (status === 429 || status === 503) response.set("Retry-After", "10");
  response.type("text").send(`${text}\n`);
}

/** Writes without waiting: what the client does not take piles up, to a bound. */
export function writeFrame(response: Response, frame: Buffer, log: Logger): void {
  if (response.writableEnded || response.destroyed) return;
  response.write(frame);
  if (response.writableLength <= MOST_BUFFERED_BYTES) return;
  log.info({ bufferedBytes: response.writableLength }, "a stream was too slow and is cut off");
  response.destroy();
}

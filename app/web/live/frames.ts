/** The text of server-sent events (HTML Living Standard, 9.2.6). */
import { type QueueEvent, tellEvent } from "#app/domain/queue/index.server.ts";

function frame(
  data: Record<string, unknown>,
  fields: { event?: string; id?: number } = {},
): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  return Buffer.from(`${lines.join("")}data: ${JSON.stringify(data)}\n\n`);
}

/** What happened, for the staff. */
export const eventFrame = (event: QueueEvent) =>
  frame({ id: event.id, requestId: event.requestId, kind: event.kind }, { id: event.id });

/** The same for a customer, who does not learn what the house does among itself. */
export const customerFrame = ({ id, requestId, kind }: QueueEvent) =>
  frame({ id, requestId, kind: tellEvent(kind) ? kind : "changed" }, { id });

/** A run has moved on: look at it again. Not kept, so it has no id. */
export const progressFrame = (requestId: string) => frame({ requestId }, { event: "progress" });

export const positionFrame = (place: { position: number | null; waiting: number }) =>
  frame(place, { event: "position" });

/** Too much has happened to tell: look at everything again. */
export const REFRESH = frame({}, { event: "refresh" });

/**
 * Keeps what stands between from taking the silence for an end (the comment), and tells the page
 * that words still come through (the event: a page never sees a comment).
 */
export const HEARTBEAT = Buffer.from(": still here\n\nevent: alive\ndata: {}\n\n");

/** How long the browser waits before it connects again, in milliseconds. */
export const retryFrame = (ms: number) => Buffer.from(`retry: ${Math.round(ms)}\n\n`);

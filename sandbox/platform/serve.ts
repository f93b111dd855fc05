import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../faults.ts";
import { type Answer, BodyTooLargeError, type Call, readCall, send } from "./http.ts";
import type { Logger } from "./log.ts";

/** How one of the sandbox's servers answers. */
export interface Service {
  log: Logger;
  /** The faults that strike this call. */
  strike(call: Call): Fault[];
  /** The service's own way to say "too many requests". */
  tooMany(): Answer;
  /** The answer; throws only what nobody expected. */
  answer(call: Call): Promise<Answer>;
  /** Headers of every answer. */
  headers: Record<string, string>;
}

/**
 * Handles one request: reads it, lets the switched-on faults strike, answers. A fault of kind
 * `accept-then-drop` strikes after the work is done.
 */
export async function serve(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = (answer: Answer) =>
    send(
      response,
      { ...answer, headers: { ...service.headers, ...answer.headers } },
      request.method ?? "GET",
    );
  try {
    const call = await readCall(request);
    let dropAfter = false;
    for (const fault of service.strike(call)) {
      if (fault.kind === "delay") await sleep(fault.ms);
      if (fault.kind === "rate-limited") return reply(service.tooMany());
      if (fault.kind === "error") {
        return reply({ status: fault.status, json: { message: "Internal Server Error" } });
      }
      if (fault.kind === "drop") return void request.socket.destroy();
      if (fault.kind === "accept-then-drop") dropAfter = true;
    }
    const answer = await service.answer(call);
    if (dropAfter) return void request.socket.destroy();
    reply(answer);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      return reply({ status: 413, json: { message: "request entity too large" } });
    }
    if (request.socket.destroyed) return;
    service.log.error({ err: error, method: request.method }, "request failed");
    if (response.headersSent) request.socket.destroy();
    else reply({ status: 500, json: { message: "Internal Server Error" } });
  }
}

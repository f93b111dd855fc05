import path from "node:path";
import { startProcess } from "../processes.ts";
import type { Answer, Order } from "./clients.ts";

/** The watchers of one server. */
export interface Clients {
  /** Opens one more stream with each of these cookies. */
  open(order: Omit<Extract<Order, { type: "open" }>, "type">): Promise<void>;
  /** From when this resolves, each stream's next event counts. */
  expect(): Promise<void>;
  /** Resolves when each stream has it; when, in milliseconds of the monotonic clock. */
  received(): Promise<number[]>;
  stop(): Promise<void>;
}

export function startClients(): Clients {
  const watchers = startProcess(path.join(import.meta.dirname, "clients.ts"));
  function check(answer: Answer): Answer {
    if (answer.type === "failed") throw new Error(answer.reason);
    return answer;
  }
  return {
    async open(order) {
      check(await watchers.ask({ type: "open", ...order }));
    },
    async expect() {
      check(await watchers.ask({ type: "expect" }));
    },
    async received() {
      const answer = check(await watchers.next());
      return answer.type === "received" ? answer.at : [];
    },
    stop: watchers.stop,
  };
}

import net from "node:net";
import { atEnd } from "../ending.ts";

export interface DelayProxy {
  port: number;
  /** How often a client has sent something after an answer, since the start. */
  roundTrips(): number;
}

/** Passes bytes on to `port`, each half a round trip later. TLS stays between the two ends. */
export async function startDelayProxy(port: number, roundTripMs: number): Promise<DelayProxy> {
  let roundTrips = 0;
  const listener = net.createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const server = net.connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
    let isAnswered = true;
    // What is sent before an answer has come belongs to the same trip.
    client.on("data", () => {
      if (isAnswered) roundTrips += 1;
      isAnswered = false;
    });
    pass(client, server, roundTripMs / 2);
    pass(server, client, roundTripMs / 2, () => {
      isAnswered = true;
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  atEnd(async () => listener.close());
  return { port: (listener.address() as net.AddressInfo).port, roundTrips: () => roundTrips };
}

/** Timers of one length fire in the order in which they were set: bytes keep theirs. */
function pass(from: net.Socket, to: net.Socket, delayMs: number, onPassed?: () => void): void {
  from.on("data", (bytes) => {
    setTimeout(() => {
      onPassed?.();
      to.write(bytes);
    }, delayMs);
  });
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  from.on("close", () => setTimeout(() => to.destroy(), delayMs));
  from.on("error", () => undefined);
}

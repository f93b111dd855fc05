import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Listens on a free port, tells the bench which, and ends when the bench does. */
export async function serveBare(app: {
  listen: (port: number, host: string) => Server;
}): Promise<void> {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.on("disconnect", () => process.exit());
  process.send?.((server.address() as AddressInfo).port);
}

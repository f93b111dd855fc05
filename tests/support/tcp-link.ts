/** A TCP connection between two machines that can fall silent, as a broken network does. */
import net from "node:net";

export interface TcpLink {
  port: number;
  /** Passes nothing on from now on, not even that a side has hung up. */
  freeze(): void;
  /** Passes on what has come in meanwhile, and goes on. */
  thaw(): void;
  /** Closes every connection now; new ones are welcome. */
  cut(): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `port`. */
export async function openTcpLink(port: number): Promise<TcpLink> {
  const sockets = new Set<net.Socket>();
  let isFrozen = false;

  const join = (from: net.Socket, to: net.Socket) => {
    sockets.add(from);
    from.on("data", (data) => to.write(data));
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
    from.on("error", () => undefined);
    if (isFrozen) from.pause();
  };
  const listener = net.createServer({ noDelay: true }, (client) => {
    const server = net.connect({ host: "127.0.0.1", port, noDelay: true });
    join(client, server);
    join(server, client);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (listener.address() as net.AddressInfo).port,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      isFrozen = false;
      for (const socket of sockets) socket.resume();
    },
    cut,
    async close() {
      cut();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

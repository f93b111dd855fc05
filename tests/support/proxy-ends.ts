/** The two ends of the proxy's links: TLS towards the client, TLS or plain TCP to the server. */
import net from "node:net";
import tls from "node:tls";
import { isSslRequest, sslRequest } from "./pg-messages.ts";

/** Where the server is; `tls` pins its authority. */
export interface Upstream {
  host: string;
  port: number;
  tls?: { ca: string };
}

/** Ends the client's TLS. Rejects for a client that does not ask for it. */
export function acceptTls(
  socket: net.Socket,
  secureContext: tls.SecureContext,
): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    socket.once("close", () => reject(new Error("closed before TLS")));
    socket.once("data", (first: Buffer) => {
      if (first.length !== 8 || !isSslRequest({ type: "", bytes: first })) {
        reject(new Error("The client asked for a connection without TLS."));
        return;
      }
      socket.write("S");
      const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
      secure.on("error", () => socket.destroy());
      secure.once("secure", () => resolve(secure));
    });
  });
}

/** Connects to the server. */
export function connectUpstream(upstream: Upstream): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: upstream.host, port: upstream.port, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      if (!upstream.tls) return resolve(socket);
      socket.write(sslRequest);
      socket.once("data", (answer: Buffer) => {
        if (answer.toString() !== "S") return reject(new Error("The server has no TLS."));
        const { ca } = upstream.tls as { ca: string };
        const name = net.isIP(upstream.host) ? {} : { servername: upstream.host };
        const secure = tls.connect({ socket, ca, host: upstream.host, ...name }, () =>
          resolve(secure),
        );
        secure.once("error", reject);
      });
    });
  });
}

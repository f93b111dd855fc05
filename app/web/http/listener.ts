import { createServer, type RequestListener, type Server } from "node:http";

/** Bounds against slow clients, in milliseconds. An answer may take any time: streams do. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  // Above the 60 s that load balancers commonly keep a connection for.
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
};

/**
 * An HTTP server with time-outs on headers, requests and idle connections. The listener may be
 * set later, since Vite's development server wants the server first.
 */
export function createHttpServer(listener?: RequestListener): Server {
  return createServer({ ...limits, maxHeaderSize: 16_384 }, listener);
}

/** Resolves when the server listens; rejects when the address is taken or not ours. */
export function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/**
 * Takes no new connections, lets running requests end for `graceMs` milliseconds, then cuts what
 * is left. Idle keep-alive connections end at once.
 */
export async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  // A connection that becomes idle during the grace would otherwise be kept for its next request.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearTimeout(timer);
  clearInterval(sweep);
}

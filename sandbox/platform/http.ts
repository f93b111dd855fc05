import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The largest request body that is kept, in bytes. */
const BODY_LIMIT = 1_000_000;
/** Up to here a body that is too large is read to its end: who still sends would miss the answer. */
const PATIENCE = 20_000_000;

/** A request as handlers see it. */
export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  params: Record<string, string>;
  /** Header names are lower case; a repeated header is joined by commas. */
  header(name: string): string | undefined;
  body: Buffer;
}

/** What a handler answers. A `json` of undefined means an empty body. */
export interface Answer {
  status: number;
  json?: unknown;
  html?: string;
  /** A body that is sent as it stands; its content type is among the headers. */
  text?: string;
  headers?: Record<string, string>;
}

export type Handler = (call: Call) => Promise<Answer> | Answer;

/** One route: method and path with `:name` for a variable part, as in `GET /v1/projects/:ref`. */
export interface Route {
  name: string;
  handler: Handler;
}

/** Finds the route of a request; null when there is none. */
type Router = (
  method: string,
  path: string,
) => {
  route: Route;
  params: Record<string, string>;
} | null;

/** Makes a router out of routes by name; the first that fits wins. */
export function createRouter(routes: Record<string, Handler>): Router {
  const table = Object.entries(routes).map(([name, handler]) => {
    const [method, pattern] = name.split(" ") as [string, string];
    const source = pattern.replace(/:(\w+)/g, "(?<$1>[^/]+)");
    return { method, pattern: new RegExp(`^${source}/?$`), route: { name, handler } };
  });
  return (method, path) => {
    for (const entry of table) {
      const match = entry.method === method ? entry.pattern.exec(path) : null;
      if (!match) continue;
      const params = Object.entries(match.groups ?? {}).map(([key, value]) => [key, decode(value)]);
      return { route: entry.route, params: Object.fromEntries(params) };
    }
    return null;
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The request's body is larger than anything this stand-in needs. */
export class BodyTooLargeError extends Error {
  override name = "BodyTooLargeError";
}

/** Reads a request. Throws BodyTooLargeError. */
export async function readCall(request: IncomingMessage): Promise<Call> {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > PATIENCE) break;
    if (size <= BODY_LIMIT) parts.push(part);
  }
  if (size > BODY_LIMIT) throw new BodyTooLargeError();
  return {
    method: request.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    params: {},
    header: (name) => request.headers[name]?.toString(),
    body: Buffer.concat(parts),
  };
}

/** The body as a JSON object; null when it is anything else. */
export function jsonObject(call: Call): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(call.body.toString("utf8"));
    const plain = typeof value === "object" && value !== null && !Array.isArray(value);
    return plain ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Sends an answer. */
export function send(response: ServerResponse, answer: Answer, method: string): void {
  const headers: Record<string, string> = { "cache-control": "no-store", ...answer.headers };
  let body = "";
  if (answer.html !== undefined) {
    headers["content-type"] ??= "text/html; charset=utf-8";
    body = answer.html;
  } else if (answer.json !== undefined) {
    headers["content-type"] ??= "application/json; charset=utf-8";
    body = JSON.stringify(answer.json);
  } else if (answer.text !== undefined) {
    body = answer.text;
  }
  headers["content-length"] = `${Buffer.byteLength(body)}`;
  response.writeHead(answer.status, headers);
  response.end(method === "HEAD" ? undefined : body);
}

/** A listening server and the way to end it at once, open connections included. */
export interface Listening {
  port: number;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; port 0 takes any free one. Throws what `listen` throws (EADDRINUSE). */
export async function listen(
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listening> {
  const server: Server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port, exclusive: true }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Whether a request names this machine in its Host header. A foreign name means that a page of
 * the web points a name of its own at 127.0.0.1 to read the secrets shown here.
 */
export function isLocalHost(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");
}

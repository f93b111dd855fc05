import { Transform } from "node:stream";
import {
  type AppLoadContext,
  createReadableStreamFromReadable,
  type EntryContext,
} from "@remix-run/node";
import { RemixServer } from "@remix-run/react";
import { isbot } from "isbot";
import { renderToPipeableStream } from "react-dom/server";
import { NonceContext } from "./components/nonce.ts";

/** Loaders that have not answered after this time end the stream with their error boundary. */
export const streamTimeout = 5_000;

/**
 * React writes a page in parts of 2 KiB, and each would pass the web's streams and the network by
 * itself. What it has ready at one time goes on as one.
 */
class PageBody extends Transform {
  #held: Uint8Array[] = [];

  override _transform(part: Uint8Array, _encoding: string, done: () => void): void {
    this.#held.push(part);
    done();
  }

  /** React's word that there is no more for now. */
  flush(): void {
    if (this.#held.length > 0) this.push(Buffer.concat(this.#held.splice(0)));
  }

  override _flush(done: () => void): void {
    this.flush();
    done();
  }
}

/** Renders a page: people get it as it comes, crawlers when it is whole. */
export default function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  context: EntryContext,
  loadContext: AppLoadContext,
): Promise<Response> {
  const nonce = loadContext.cspNonce;
  const whenWhole = isbot(request.headers.get("user-agent") ?? "") || context.isSpaMode;
  return new Promise((resolve, reject) => {
    let responseStatus = status;
    let shellSent = false;
    const send = () => {
      shellSent = true;
      const body = new PageBody();
      headers.set("Content-Type", "text/html; charset=utf-8");
      if (!headers.has("Cache-Control")) headers.set("Cache-Control", "private, no-cache");
      resolve(
        new Response(createReadableStreamFromReadable(body), { headers, status: responseStatus }),
      );
      pipe(body);
    };
    const { pipe, abort } = renderToPipeableStream(
      <NonceContext.Provider value={nonce}>
        <RemixServer context={context} url={request.url} abortDelay={streamTimeout} nonce={nonce} />
      </NonceContext.Provider>,
      {
        nonce,
        [whenWhole ? "onAllReady" : "onShellReady"]: send,
        onShellError: reject,
        onError(error: unknown) {
          responseStatus = 500;
          // Before the shell is sent, onShellError hands the same error on.
          if (shellSent) loadContext.runtime.log.error({ err: error }, "a page broke off");
        },
      },
    );
    setTimeout(abort, streamTimeout + 1_000).unref();
  });
}

/** What a page in the browser fetches is as much for its reader alone as the page itself. */
export function handleDataRequest(response: Response): Response {
  if (!response.headers.has("Cache-Control")) {
    response.headers.set("Cache-Control", "private, no-store");
  }
  return response;
}

/** What loaders and actions throw unexpectedly: Remix would print it with console.error. */
export function handleError(
  error: unknown,
  { request, context }: { request: Request; context: AppLoadContext },
): void {
  if (request.signal.aborted) return;
  context.runtime.log.error(
    { err: error, correlationId: context.correlationId },
    "a route failed unexpectedly",
  );
}

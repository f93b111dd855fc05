import { lookup } from "node:dns/promises";
import { buildConnector, Client } from "undici";
import { isPublicAddress } from "./address.ts";
import {
  OutboundNameError,
  OutboundRefusedError,
  OutboundTimeoutError,
  OutboundTlsError,
  OutboundTooLargeError,
  OutboundUnreachableError,
} from "./errors.ts";
import { type CheckedUrl, checkUrl, type Permission, parseRules, permit } from "./rules.ts";
import { tlsProblem } from "./tls.ts";

export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
}

/** A checked address to connect to, and the name that its certificate must carry. */
export interface PinnedAddress extends ResolvedAddress {
  servername: string;
}

export interface OutboundLimits {
  /** For the whole exchange: name, connection, TLS, headers and body. */
  timeoutMs: number;
  /** Of the body. */
  maxBytes: number;
}

export interface OutboundInit extends OutboundLimits {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal?: AbortSignal;
}

export interface OutboundAnswer {
  status: number;
  headers: Headers;
  text: string;
}

export interface OutboundGuard {
  /** Checks a web address by its text alone. @throws OutboundRefusedError */
  checkUrl(text: string): CheckedUrl;
  /** Checks a database's host and port by their text alone. @throws OutboundRefusedError */
  checkDatabase(host: string, port: number): Permission;
  /** Resolves a database's host; every answer of the DNS must be public. */
  resolve(host: string, port: number): Promise<PinnedAddress>;
  /** One HTTP exchange on a connection of its own. Redirects are returned, never followed. */
  fetch(url: string, init: OutboundInit): Promise<OutboundAnswer>;
  /** The same with the face of `fetch`, for supabase-js. */
  asFetch(limits?: Partial<OutboundLimits>): typeof fetch;
}

export interface OutboundGuardOptions {
  /** Domains that may be called on https:443 and postgres:5432, with all below them. */
  allowSuffixes: string[];
  /** `host:port` or `host:port-port`, comma-separated: may also be http and not public. */
  allowOrigins: string;
  /** The DNS; by default that of the system. */
  resolve?: (host: string) => Promise<ResolvedAddress[]>;
}

const connectTimeoutMs = 5_000;
const defaults: OutboundLimits = { timeoutMs: 15_000, maxBytes: 4 * 1024 * 1024 };

async function systemResolve(host: string): Promise<ResolvedAddress[]> {
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function errorCode(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}

/** Rejects when the signal fires; `getaddrinfo` itself cannot be stopped. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function toHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) headers.append(name, one);
    }
  }
  return headers;
}

/**
 * The one door to the outside for HTTP and customers' databases. A host must be allowed by text,
 * every address of its name must be public, and the connection goes to exactly the address that
 * was checked (so a DNS answer that changes in between changes nothing), with the TLS name kept.
 * @throws OutboundConfigError when the allow-lists themselves are wrong
 */
export function createOutboundGuard(options: OutboundGuardOptions): OutboundGuard {
  const rules = parseRules(options.allowSuffixes, options.allowOrigins);
  const resolveName = options.resolve ?? systemResolve;

  async function addresses(
    host: string,
    port: number,
    permission: Permission,
    signal: AbortSignal,
  ): Promise<ResolvedAddress[]> {
    // Only the operator's own list can hold an address instead of a name.
    if (permission === "origin" && /^[0-9.]+$|:/.test(host)) {
      return [{ address: host, family: host.includes(":") ? 6 : 4 }];
    }
    let found: ResolvedAddress[];
    try {
      found = await untilAborted(resolveName(host), signal);
    } catch (error) {
      const code = errorCode(error);
      if (code === "ENOTFOUND" || code === "ENODATA") throw new OutboundNameError(host, error);
      throw new OutboundUnreachableError(host, port, error);
    }
    if (found.length === 0) throw new OutboundNameError(host, undefined);
    if (permission === "suffix" && !found.every(({ address }) => isPublicAddress(address))) {
      throw new OutboundRefusedError(
        `${host} leads to an address that is not public`,
        "a name whose every address is on the public internet",
      );
    }
    return found;
  }

  async function exchange(text: string, init: OutboundInit) {
    const { url, host, port, permission } = checkUrl(rules, text);
    const deadline = AbortSignal.timeout(init.timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    const pinned = await addresses(host, port, permission, signal);

    let connected = false;
    const connect = buildConnector({
      timeout: Math.min(connectTimeoutMs, init.timeoutMs),
      allowH2: false,
      // `lookup` belongs to net.connect; undici's types list only what it adds itself.
      ...{
        lookup: (
          _host: string,
          how: { all?: boolean },
          done: (error: null, address: string | ResolvedAddress[], family?: number) => void,
        ) => {
          const [first] = pinned;
          if (how.all) done(null, pinned);
          else done(null, first?.address ?? "", first?.family);
        },
      },
    });
    const client = new Client(url.origin, {
      maxHeaderSize: 32 * 1024,
      connect: (opts, done) =>
        connect(opts, (...result) => {
          connected = result[0] === null;
          done(...result);
        }),
    });
    try {
      const answer = await client.request({
        path: url.pathname + url.search,
        method: init.method ?? "GET",
        headers: init.headers,
        body: init.body,
        signal,
        // A connection serves one exchange, so a stale one can never blur whether a POST arrived.
        reset: true,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body) {
        size += chunk.length;
        if (size > init.maxBytes) throw new OutboundTooLargeError(host, init.maxBytes);
        chunks.push(chunk);
      }
      return {
        status: answer.statusCode,
        headers: toHeaders(answer.headers),
        bytes: Buffer.concat(chunks),
      };
    } catch (error) {
      if (init.signal?.aborted) throw init.signal.reason;
      if (error instanceof OutboundTooLargeError) throw error;
      const problem = tlsProblem(error);
      if (problem) throw new OutboundTlsError(host, problem, error);
      if (connected && deadline.aborted) throw new OutboundTimeoutError(host, init.timeoutMs);
      throw new OutboundUnreachableError(host, port, error);
    } finally {
      await client.destroy();
    }
  }

  return {
    checkUrl: (text) => checkUrl(rules, text),

    checkDatabase: (host, port) => permit(rules, "postgres", host, port),

    async resolve(host, port) {
      const permission = permit(rules, "postgres", host, port);
      const signal = AbortSignal.timeout(connectTimeoutMs);
      const [first] = await addresses(host, port, permission, signal);
      if (!first) throw new OutboundNameError(host, undefined);
      return { ...first, servername: host };
    },

    async fetch(text, init) {
      const { status, headers, bytes } = await exchange(text, init);
      return { status, headers, text: bytes.toString("utf8") };
    },

    asFetch(limits = {}) {
      return async (input, init) => {
        const request = new Request(input, init);
        const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
        // The text as given is checked, not what a parser made of it.
        const text = typeof input === "string" ? input : request.url;
        const { status, headers, bytes } = await exchange(text, {
          ...defaults,
          ...limits,
          method: request.method,
          headers: Object.fromEntries(request.headers),
          body,
          signal: init?.signal ?? undefined,
        });
        const empty = status === 204 || status === 205 || status === 304;
        return new Response(empty ? null : new Uint8Array(bytes), { status, headers });
      };
    },
  };
}

import type { Runtime } from "./runtime.server.ts";

/** What the server process hands to every loader and action. */
declare module "@remix-run/node" {
  interface AppLoadContext {
    runtime: Runtime;
    /** For every `<script>` of the answer; see security-headers.ts. */
    cspNonce: string;
    /** Ties together the log lines, audit records and jobs that a request caused. */
    correlationId: string;
    /** The caller's network address, forwarded ones believed from trusted proxies alone. */
    clientAddress: string;
  }
}

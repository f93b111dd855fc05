import { BerthError } from "#app/platform/errors.ts";

/** The address may not be called at all: not on the allow-list, badly written, or not public. */
export class OutboundRefusedError extends BerthError {
  constructor(found: string, needed: string, fix = "Check the address and paste it again.") {
    super("outbound_refused", `Berth does not connect to this address: ${found}.`, {
      found,
      needed,
      fix,
    });
  }
}

/** The host name does not exist in the DNS (any more). */
export class OutboundNameError extends BerthError {
  constructor(host: string, cause: unknown) {
    super("outbound_no_such_name", `The name ${host} does not exist.`, {
      found: `the DNS knows no address for ${host}`,
      needed: "a name that resolves",
      fix: "Check the address for typing errors, and that the project still exists and is not paused.",
      cause,
    });
  }
}

/**
 * Nothing usable at the other end. A closed port and a filtered one get the same words, so that
 * nobody can map a network by asking Berth.
 */
export class OutboundUnreachableError extends BerthError {
  constructor(host: string, port: number, cause?: unknown) {
    super("outbound_unreachable", `Nothing answers at ${host} port ${port}.`, {
      retryable: true,
      found: `nothing answers at ${host} port ${port}`,
      needed: "a server that accepts connections there",
      fix: "Check the address, and that the project is running; then try again.",
      cause,
    });
  }
}

/** The server took the connection and then did not finish its answer in time. */
export class OutboundTimeoutError extends BerthError {
  constructor(host: string, timeoutMs: number) {
    super("outbound_timeout", `${host} accepted the connection but did not answer in time.`, {
      retryable: true,
      found: `${host} did not finish its answer within ${timeoutMs} ms`,
      needed: "an answer",
      fix: "Try again in a minute; if it stays silent, look at the project's status.",
    });
  }
}

/** The answer was larger than the caller is willing to read. */
export class OutboundTooLargeError extends BerthError {
  constructor(host: string, maxBytes: number) {
    super("outbound_too_large", `The answer of ${host} is too large to be a real one.`, {
      found: `more than ${maxBytes} bytes from ${host}`,
      needed: `at most ${maxBytes} bytes`,
      fix: "Check that the address is that of a Supabase project.",
    });
  }
}

/** TLS failed: the certificate cannot be verified, or there is no TLS at all. */
export class OutboundTlsError extends BerthError {
  constructor(host: string, problem: string, cause?: unknown) {
    super("outbound_tls", `The connection to ${host} cannot be trusted: ${problem}.`, {
      found: problem,
      needed: `a certificate for ${host} from an authority that Berth trusts`,
      fix: "Check the address. If the project uses a private authority, the operator adds its certificate (SUPABASE_CA_FILE).",
      cause,
    });
  }
}

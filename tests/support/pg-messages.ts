/** PostgreSQL's wire protocol, version 3, as far as a proxy must understand it. */

/** One message with its framing. The start-up messages have no type: theirs is the empty string. */
export interface PgMessage {
  type: string;
  bytes: Buffer;
}

const SSL_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;

/** SSLRequest, the question that precedes TLS. */
export const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Whether a start-up message asks for TLS. */
export function isSslRequest(message: PgMessage): boolean {
  return message.type === "" && message.bytes.readInt32BE(4) === SSL_REQUEST;
}

/** Whether a connection is opened only to cancel another's query. */
export function isCancelRequest(message: PgMessage): boolean {
  return message.type === "" && message.bytes.readInt32BE(4) === CANCEL_REQUEST;
}

/** The SQL of a simple query or of a Parse message; null for other messages. */
export function queryText(message: PgMessage): string | null {
  if (message.type === "Q") return message.bytes.toString("utf8", 5, message.bytes.length - 1);
  if (message.type !== "P") return null;
  const name = message.bytes.indexOf(0, 5);
  return message.bytes.toString("utf8", name + 1, message.bytes.indexOf(0, name + 1));
}

/** The application_name of a start-up packet; null for other messages, and where it has none. */
export function applicationName(message: PgMessage): string | null {
  if (message.type !== "" || isSslRequest(message) || isCancelRequest(message)) return null;
  const words = message.bytes.toString("utf8", 8).split("\0");
  for (let at = 0; words[at]; at += 2) {
    if (words[at] === "application_name") return words[at + 1] ?? null;
  }
  return null;
}

/** The SQLSTATE of an ErrorResponse; null for other messages. */
export function sqlstate(message: PgMessage): string | null {
  if (message.type !== "E") return null;
  return /\0C([0-9A-Z]{5})\0/.exec(message.bytes.toString("latin1", 5))?.[1] ?? null;
}

/** Cuts a byte stream into messages. `untyped`: the first message is a start-up message. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #untyped: boolean;

  constructor(options: { untyped: boolean }) {
    this.#untyped = options.untyped;
  }

  /** The messages that are complete with this chunk. */
  *push(chunk: Buffer): Generator<PgMessage> {
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (;;) {
      const header = this.#untyped ? 0 : 1;
      if (this.#rest.length < header + 4) return;
      const length = header + this.#rest.readInt32BE(header);
      if (this.#rest.length < length) return;
      const bytes = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      const message = { type: header ? String.fromCharCode(bytes[0] as number) : "", bytes };
      // After SSLRequest comes another message without a type.
      if (!isSslRequest(message)) this.#untyped = false;
      yield message;
    }
  }
}

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

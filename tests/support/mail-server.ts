import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";

/** What the server says to a recipient or to a whole message, in place of taking it. */
export type Refusal = { at: "recipient" | "message"; code: number };

export interface TakenMail {
  from: string;
  to: string[];
  /** The header's lines, unfolded. */
  headers: string[];
  /** The parts of both kinds, readable. */
  text: string;
  html: string;
}

export interface MailServer {
  url: string;
  mails: TakenMail[];
  /** What it answers from now on; null takes everything. */
  refuse(refusal: Refusal | null): void;
  stop(): Promise<void>;
}

interface Envelope {
  mailFrom: { address: string };
  rcptTo: { address: string }[];
}
type Done = (error?: Error | null) => void;

/** The content of the part of this type; quoted-printable (RFC 2045), as nodemailer writes it. */
function partOf(raw: string, type: string): string {
  const [, after = ""] = raw.split(`Content-Type: ${type}`);
  const [, ...body] = (after.split(/\r\n--/, 1)[0] ?? "").split("\r\n\r\n");
  const bytes = body
    .join("\r\n\r\n")
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The SMTP server that the mail catcher brings, on a free port, with an answer of our choice. */
export async function startMailServer(): Promise<MailServer> {
  const catcher = createRequire(createRequire(import.meta.url).resolve("maildev"));
  const { SMTPServer } = catcher("smtp-server") as {
    SMTPServer: new (
      options: object,
    ) => {
      server: Server;
      listen(port: number, host: string, ready: () => void): void;
      close(closed: () => void): void;
      on(event: "error", listener: () => void): void;
    };
  };
  const mails: TakenMail[] = [];
  let refusal: Refusal | null = null;
  const refusing = (at: Refusal["at"]) =>
    refusal?.at === at
      ? Object.assign(new Error("not taken"), { responseCode: refusal.code })
      : null;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    onRcptTo: (_to: unknown, _session: unknown, done: Done) => done(refusing("recipient")),
    async onData(stream: AsyncIterable<Buffer>, session: { envelope: Envelope }, done: Done) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      const no = refusing("message");
      if (no) return done(no);
      const raw = Buffer.concat(chunks).toString("utf8");
      const [head = ""] = raw.split("\r\n\r\n", 1);
      mails.push({
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map(({ address }) => address),
        headers: head.replaceAll(/\r\n[ \t]+/g, " ").split("\r\n"),
        text: partOf(raw, "text/plain"),
        html: partOf(raw, "text/html"),
      });
      done();
    },
  });
  // A client that goes away in the middle is no failure of the test's.
  server.on("error", () => {});
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse(next) {
      refusal = next;
    },
    stop: () => new Promise<void>((closed) => server.close(closed)),
  };
}

import nodemailer from "nodemailer";
import { BerthError } from "#app/platform/errors.ts";

/** How long one attempt may last in all, in milliseconds: also with a server that keeps talking. */
export const SEND_TIMEOUT_MS = 120_000;

/** The mail server did not take the mail. `final`: it said that it never will take this one. */
export class MailNotTakenError extends BerthError {
  readonly final: boolean;
  constructor(reason: string, final: boolean, cause: unknown) {
    super("mail_not_taken", reason, { retryable: !final, cause });
    this.final = final;
  }
}

export interface Mail {
  /** Stays the same over all attempts, so that a second copy is known as one. */
  messageId: string;
  to: { name: string; address: string };
  subject: string;
  text: string;
  html: string;
}

export interface Mailer {
  /** @throws MailNotTakenError */
  send(mail: Mail): Promise<void>;
  close(): void;
}

/** One mail address and nothing else: no list, no second header line. */
const ONE_ADDRESS = /^[^\s@,;:<>()[\]"\\]+@[^\s@,;:<>()[\]"\\]+$/;

/**
 * Whether a failure is the server's last word (5xx, RFC 5321 section 4.2.1) on this recipient or this
 * message. A refused greeting, login or sender is a fault of the set-up, which can be mended.
 */
function isFinal(failure: SmtpFailure): boolean {
  const { code = "", command, responseCode = 0 } = failure;
  return ["EENVELOPE", "EMESSAGE"].includes(code) && command !== "MAIL FROM" && responseCode >= 500;
}

/** What nodemailer's errors carry. */
interface SmtpFailure {
  code?: string;
  command?: string;
  responseCode?: number;
}

function reasonOf({ responseCode = 0 }: SmtpFailure, signal: AbortSignal): string {
  if (signal.aborted) return "The mail server took too long.";
  if (responseCode > 0) return `The mail server answered ${responseCode}.`;
  return "The mail server cannot be reached.";
}

/**
 * @param smtpUrl such as `smtps://user:password@host:465`.
 * @param from one address, with or without a name.
 * @param sendTimeoutMs how long one attempt may last in all.
 */
export function createMailer(
  smtpUrl: string,
  from: string,
  sendTimeoutMs: number = SEND_TIMEOUT_MS,
): Mailer {
  const transport = nodemailer.createTransport({
    url: smtpUrl,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ messageId, to, subject, text, html }) {
      if (!ONE_ADDRESS.test(to.address)) {
        throw new MailNotTakenError(
          "The recipient is not one plain mail address.",
          true,
          undefined,
        );
      }
      const signal = AbortSignal.timeout(sendTimeoutMs);
      try {
        await transport.sendMail({ messageId, from, to, subject, text, html, signal });
      } catch (error) {
        const failure = error as SmtpFailure;
        throw new MailNotTakenError(reasonOf(failure, signal), isFinal(failure), error);
      }
    },
    close: () => transport.close(),
  };
}

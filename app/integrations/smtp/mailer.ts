import nodemailer from "nodemailer";
import { BerthError } from "#app/platform/errors.ts";

/** The mail server did not take the mail. `final`: it said that it never will (a 5xx answer). */
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

/** @param smtpUrl such as `smtps://user:password@host:465`. @param from one address, with or without a name. */
export function createMailer(smtpUrl: string, from: string): Mailer {
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
      try {
        await transport.sendMail({ messageId, from, to, subject, text, html });
      } catch (error) {
        const code = (error as { responseCode?: number }).responseCode ?? 0;
        const reason =
          code > 0 ? `The mail server answered ${code}.` : "The mail server cannot be reached.";
        throw new MailNotTakenError(reason, code >= 500, error);
      }
    },
    close: () => transport.close(),
  };
}

import { BerthError } from "#app/platform/errors.ts";

/** The link is unknown, used, expired or altered: which one is nobody's business but its owner's. */
export class LinkNotValidError extends BerthError {
  constructor() {
    super("link_invalid", "This link has been used or has expired.");
  }
}

/** Another press of the same button is being answered. */
export class LinkBusyError extends BerthError {
  constructor() {
    super("link_busy", "This link is being opened at this moment.", {
      retryable: true,
      fix: "Wait for the page that you opened first. If nothing comes, try again in a minute.",
    });
  }
}

export class MailNotFoundError extends BerthError {
  constructor() {
    super("mail_not_found", "There is no such mail.");
  }
}

/** Sending it again would reach nobody sooner, or lead nowhere. */
export class MailNotResendableError extends BerthError {
  constructor(message: string, fix: string) {
    super("mail_not_resendable", message, { fix });
  }
}

import { BerthError } from "#app/platform/errors.ts";

/** The link is unknown, used, expired or altered: which one is nobody's business but its owner's. */
export class LinkNotValidError extends BerthError {
  constructor(message = "This link has been used or has expired.", fix?: string) {
    super("link_invalid", message, fix === undefined ? {} : { fix });
  }
}

/** A later link took the place of this one; its mail may be on its way still. Who holds the older one is told. */
export class LinkReplacedError extends LinkNotValidError {
  constructor() {
    super(
      "A newer link has taken the place of this one",
      "It is in our newest mail to you. If that has not come, look in your spam folder, or answer any of our mails.",
    );
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

/** It has arrived once: a copy is for somebody to decide who knows that. */
export class CopyNotConfirmedError extends BerthError {
  constructor() {
    super("copy_not_confirmed", "This mail has been sent already.", {
      fix: "Say that a copy is to be sent.",
    });
  }
}

/** Sending it again would reach nobody sooner, or lead nowhere. */
export class MailNotResendableError extends BerthError {
  constructor(message: string, fix: string) {
    super("mail_not_resendable", message, { fix });
  }
}

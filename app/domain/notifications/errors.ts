import { BerthError } from "#app/platform/errors.ts";

/** The link is unknown, used, expired or altered: which one is nobody's business but its owner's. */
export class LinkNotValidError extends BerthError {
  constructor() {
    super("link_invalid", "This link has been used or has expired.", {
      fix: "Ask the team that set up your backend for a new one.",
    });
  }
}

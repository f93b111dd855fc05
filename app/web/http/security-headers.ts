import { randomBytes } from "node:crypto";
import type { RequestHandler } from "express";

/** What the content security policy depends on. */
export interface PolicyOptions {
  nonce: string;
  /** Served over https: plain requests for parts of a page are lifted to it. */
  secure: boolean;
  /** A form of this page ends at another origin, by way of redirects that are not ours. */
  formsLeaveOrigin: boolean;
  /** Vite's development server injects styles and speaks over a web socket. */
  development: boolean;
}

/**
 * The Content-Security-Policy of every answer. Scripts run from this origin's files or with the
 * answer's nonce; nothing frames Berth. `form-action` holds for every redirect after a POST too, so
 * the one page whose form leads to a customer's own project goes without it.
 */
export function contentSecurityPolicy(options: PolicyOptions): string {
  const { nonce, secure, development, formsLeaveOrigin } = options;
  const directives = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self'${development ? " 'unsafe-inline'" : ""}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${development ? " ws:" : ""}`,
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  if (!formsLeaveOrigin) directives.push("form-action 'self'");
  if (secure) directives.push("upgrade-insecure-requests");
  return directives.join("; ");
}

/** Its form is answered with a redirect to Supabase, and from there to the customer's own site. */
const OWNER_PAGE = "/owner";

/** Sets the security headers of every answer, and `res.locals.cspNonce` (128 random bits). */
export function securityHeaders(options: {
  secure: boolean;
  development: boolean;
}): RequestHandler {
  return (request, response, next) => {
    const nonce = randomBytes(16).toString("base64url");
    response.locals.cspNonce = nonce;
    response.set({
      "Content-Security-Policy": contentSecurityPolicy({
        nonce,
        formsLeaveOrigin: request.path === OWNER_PAGE,
        ...options,
      }),
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
      "Referrer-Policy": "same-origin",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    });
    if (options.secure) response.set("Strict-Transport-Security", "max-age=31536000");
    next();
  };
}

import { randomBytes } from "node:crypto";
import type { RequestHandler } from "express";

/** What the content security policy depends on. */
export interface PolicyOptions {
  nonce: string;
  /** Served over https: plain requests for parts of a page are lifted to it. */
  secure: boolean;
  /** Vite's development server injects styles and speaks over a web socket. */
  development: boolean;
}

/**
 * The Content-Security-Policy of every answer. Scripts run from this origin's files or with the
 * answer's nonce; nothing frames Berth. `form-action` holds for the redirect after a POST too, so
 * a form that ends at another origin answers with a page that leads there.
 */
export function contentSecurityPolicy({ nonce, secure, development }: PolicyOptions): string {
  const directives = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self'${development ? " 'unsafe-inline'" : ""}`,
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src 'self'${development ? " ws:" : ""}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  if (secure) directives.push("upgrade-insecure-requests");
  return directives.join("; ");
}

/** Sets the security headers of every answer, and `res.locals.cspNonce` (128 random bits). */
export function securityHeaders(options: {
  secure: boolean;
  development: boolean;
}): RequestHandler {
  return (_request, response, next) => {
    const nonce = randomBytes(16).toString("base64url");
    response.locals.cspNonce = nonce;
    response.set({
      "Content-Security-Policy": contentSecurityPolicy({ nonce, ...options }),
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

import type { RequestHandler } from "express";

/**
 * Larger than any form of ours, in bytes: the largest has fields of 22,000 characters in all, of keys
 * and addresses, each of which is sent as three bytes at most.
 */
const MAX_FORM_BYTES = 128 * 1024;

/** The status with which a form of this size is refused, from its headers; null where it is read. */
export function sizeRefusal(header: (name: string) => string | null | undefined): 411 | 413 | null {
  const length = header("content-length");
  if (length) return Number(length) <= MAX_FORM_BYTES ? null : 413;
  // A body without a length could be endless; browsers always send one.
  return header("transfer-encoding") ? 411 : null;
}

/**
 * Has the connection end after the answer to too large a form, so that the rest of it is not taken.
 * The answer is a page's: it refuses the form where it would read it (readForm). Calls of the API are
 * bounded where their body is read, too.
 */
export const endAfterLargeForm: RequestHandler = (request, response, next) => {
  const isForm = !request.path.startsWith("/api/") && !["GET", "HEAD"].includes(request.method);
  if (isForm && sizeRefusal((name) => request.get(name)) !== null) {
    response.set("Connection", "close");
  }
  next();
};

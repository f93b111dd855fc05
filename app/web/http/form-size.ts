import type { RequestHandler } from "express";

/** Larger than any form of ours, in bytes. */
const MAX_FORM_BYTES = 16 * 1024;

/**
 * Refuses large forms before anything of them is kept. Calls of the API are bounded where their
 * body is read, so that they are answered with a problem.
 */
export const limitForms: RequestHandler = (request, response, next) => {
  if (request.path.startsWith("/api/") || request.method === "GET" || request.method === "HEAD") {
    next();
    return;
  }
  const size = Number(request.get("content-length") ?? Number.NaN);
  // A body without a length could be endless; browsers always send one.
  const hasNone = request.get("transfer-encoding") === undefined && Number.isNaN(size);
  if (hasNone || size <= MAX_FORM_BYTES) {
    next();
    return;
  }
  response
    .status(Number.isNaN(size) ? 411 : 413)
    .set({ "Cache-Control": "no-store", Connection: "close" })
    .type("text")
    .send("This form is larger than any of ours.\n");
};

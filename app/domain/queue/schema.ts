import { z } from "zod";

/** The longest note, in characters. */
export const LONGEST_NOTE = 1_000;

/** A note to a request's timeline: plain text on one or more lines. */
export const noteInput = z
  .string()
  .max(LONGEST_NOTE * 4)
  .transform((text) =>
    text
      .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, "\n")
      .replace(/[^\P{Cc}\n\t]/gu, "")
      .toWellFormed()
      .trim(),
  )
  .pipe(
    z
      .string()
      .min(1, "Write the note first.")
      .max(LONGEST_NOTE, `Use at most ${LONGEST_NOTE} characters.`),
  );

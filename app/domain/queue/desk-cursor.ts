import { z } from "zod";

/** By what a list is in order: the promise, the end, or the arrival. */
export const DESK_ORDERS = ["due", "ended", "received"] as const;
export type DeskOrder = (typeof DESK_ORDERS)[number];

/** A place between two rows: the rows after it, or the ones before it. */
export interface DeskCursor {
  order: DeskOrder;
  direction: "after" | "before";
  /** ISO 8601 in UTC, or `infinity` for what has no due time. */
  key: string;
  id: string;
}

const parts = z.tuple([
  z.enum(DESK_ORDERS),
  z.enum(["after", "before"]),
  // PostgreSQL knows no year 0.
  z.union([z.literal("infinity"), z.iso.datetime().refine((text) => !text.startsWith("0000"))]),
  z.uuid(),
]);

export const writeDeskCursor = ({ order, direction, key, id }: DeskCursor): string =>
  Buffer.from([order, direction, key, id].join("|")).toString("base64url");

/** A cursor as it stands in an address. */
export const readDeskCursor = z
  .string()
  .max(200)
  .transform((text, context): DeskCursor => {
    const read = parts.safeParse(Buffer.from(text, "base64url").toString("utf8").split("|"));
    if (!read.success) {
      context.addIssue({ code: "custom", message: "This cursor did not come from here." });
      return z.NEVER;
    }
    const [order, direction, key, id] = read.data;
    return { order, direction, key, id };
  });

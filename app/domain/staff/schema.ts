import { z } from "zod";
import { STAFF_ROLES } from "#db/identity.ts";
import { emailAddress, line } from "../onboarding/schema.ts";

/** More than anybody carries; keeps a slip of the finger out of the dashboard's sums. */
export const MOST_CAPACITY = 100;

const capacity = z.coerce
  .number({ error: "Write a whole number." })
  .int("Write a whole number.")
  .min(0, "Write 0 or more.")
  .max(MOST_CAPACITY, `Write at most ${MOST_CAPACITY}.`);

const role = z.enum(STAFF_ROLES, { error: "Choose a role." });

/** The form that invites somebody. */
export const invitationInput = z.object({
  name: line(200),
  email: emailAddress,
  role,
  capacity,
});

/** The form that changes what somebody may do, and how much they carry; and what it showed at first. */
export const memberInput = z.object({
  role,
  capacity,
  shownRole: role,
  shownCapacity: capacity,
});

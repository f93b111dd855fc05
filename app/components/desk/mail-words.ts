import type { OutboxItem } from "#app/domain/notifications/index.server.ts";

/** What each kind of mail tells its reader. */
export const MAIL_WORDS: Record<OutboxItem["kind"], string> = {
  received: "Request received",
  claimed: "Work has begun",
  credentials_problem: "Help needed with the project",
  ready: "Backend is ready, owner’s link",
  failed: "Run has stopped, to staff",
  cancelled: "Request cancelled",
  invitation: "Invitation to the staff",
  password: "Link for a new password",
};

export const MAIL_STATUS_WORDS: Record<OutboxItem["status"], string> = {
  waiting: "Waiting",
  sent: "Sent",
  dead: "Given up",
};

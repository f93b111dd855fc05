import { recordAudit } from "../audit/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import { addEvent, type Context, lockRequest } from "./requests.ts";

/**
 * Adds a note for the staff to a request's timeline, whoever holds the request and whatever its
 * state. `text`: as `noteInput` (schema.ts) lets it through. The audit record, which outlives what it tells
 * about, says only that a note was made.
 * @throws NotStaffError, RequestNotFoundError
 */
export async function addNote(
  { tx, actor }: Context,
  requestId: string,
  text: string,
): Promise<void> {
  await requireStaff(tx, actor.id);
  await lockRequest(tx, requestId);
  await addEvent({ tx, actor }, requestId, "note", { text });
  await recordAudit(tx, actor, {
    action: "request.note",
    subjectKind: "request",
    subjectId: requestId,
    requestId,
  });
}

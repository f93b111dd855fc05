import { and, eq, sql } from "drizzle-orm";
import type { PRIORITIES } from "#db/catalog.ts";
import { provisioningQueue } from "#db/queue.ts";
import { recordAudit } from "../audit/index.server.ts";
import { requireStaff } from "../identity/index.server.ts";
import { RequestChangedError, WrongStateError } from "./errors.ts";
import { addEvent, type Context, computeDue, lockRequest, type RequestRow } from "./requests.ts";
import { OPEN } from "./states.ts";

export type Priority = (typeof PRIORITIES)[number];

/**
 * Gives an open request another priority: another promise, computed anew over the clock as it ran.
 * Only a supervisor decides on that. The same priority changes nothing.
 * @throws NotStaffError, RoleMissingError, RequestNotFoundError; WrongStateError for one that ended
 */
export async function changePriority(
  { tx, actor }: Context,
  requestId: string,
  priority: Priority,
): Promise<RequestRow> {
  await requireStaff(tx, actor.id, ["supervisor"]);
  const request = await lockRequest(tx, requestId);
  if (!OPEN.includes(request.status)) {
    throw new WrongStateError(request.status, "change the priority of", OPEN);
  }
  if (request.priority === priority) return request;
  const dueAt = await computeDue(tx, { ...request, priority });
  const [changed] = await tx
    .update(provisioningQueue)
    .set({
      priority,
      dueAt,
      version: sql`${provisioningQueue.version} + 1`,
      updatedAt: sql`berth_now()`,
    })
    .where(
      and(eq(provisioningQueue.id, request.id), eq(provisioningQueue.version, request.version)),
    )
    .returning();
  if (!changed) throw new RequestChangedError();
  const data = { from: request.priority, to: priority };
  await addEvent({ tx, actor }, request.id, "priority_changed", data);
  await recordAudit(tx, actor, {
    action: "request.priority_changed",
    subjectKind: "request",
    subjectId: request.id,
    requestId: request.id,
    data,
  });
  return changed;
}

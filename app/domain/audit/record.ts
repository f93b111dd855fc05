import { sql } from "drizzle-orm";
import type { Actor, Tx } from "#db/index.ts";

/** What happened, to what. `data` holds ids and plain facts: no personal data, no secret. */
export interface AuditEntry {
  /** A noun and a verb, such as `request.claim`. */
  action: string;
  subjectKind: string;
  subjectId: string;
  requestId?: string | undefined;
  data?: Record<string, unknown>;
}

/**
 * Adds to the audit record, in the transaction of what it records: both happen or neither. Takes a
 * transaction and nothing else, so that it cannot be called after the fact.
 */
export async function recordAudit(tx: Tx, actor: Actor, entry: AuditEntry): Promise<void> {
  // The columns are named one by one: the grant leaves out the time and the transaction, which are
  // the database's own.
  await tx.execute(sql`insert into audit_log
    (actor_kind, actor_id, origin, correlation_id, action, subject_kind, subject_id, request_id, data)
    values (${actor.kind}, ${actor.id}, ${actor.origin}, ${actor.correlationId}, ${entry.action},
      ${entry.subjectKind}, ${entry.subjectId}, ${entry.requestId ?? null},
      ${JSON.stringify(entry.data ?? {})}::jsonb)`);
}

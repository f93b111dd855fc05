import { and, desc, eq, gte, lt } from "drizzle-orm";
import { z } from "zod";
import { auditLog } from "#db/audit.ts";
import type { Tx } from "#db/index.ts";

const word = z
  .string()
  .max(100)
  .refine((text) => !/\p{Cc}/u.test(text), { error: "Use plain text on one line." });

/** PostgreSQL's calendar has no year 0. */
const instant = z.iso
  .datetime({ offset: true, abort: true })
  .refine((text) => new Date(text).getUTCFullYear() > 0, { error: "There is no year 0." });

/** What the record can be searched by; each answer ends with the cursor of the next. */
export const auditFilter = z.strictObject({
  requestId: z.uuid().optional(),
  actorId: word.optional(),
  action: word.optional(),
  subjectKind: word.optional(),
  subjectId: word.optional(),
  from: instant.optional(),
  to: instant.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().positive().optional(),
});
export type AuditFilter = z.infer<typeof auditFilter>;

export interface AuditRecord {
  id: number;
  at: string;
  actorKind: string;
  actorId: string;
  action: string;
  subjectKind: string;
  subjectId: string;
  requestId: string | null;
  origin: string;
  correlationId: string;
  data: Record<string, unknown>;
}

/** The record, newest first, paged by key. */
export async function listAudit(
  tx: Tx,
  filter: AuditFilter,
): Promise<{ records: AuditRecord[]; nextCursor: string | null }> {
  const rows = await tx
    .select()
    .from(auditLog)
    .where(
      and(
        filter.requestId === undefined ? undefined : eq(auditLog.requestId, filter.requestId),
        filter.actorId === undefined ? undefined : eq(auditLog.actorId, filter.actorId),
        filter.action === undefined ? undefined : eq(auditLog.action, filter.action),
        filter.subjectKind === undefined ? undefined : eq(auditLog.subjectKind, filter.subjectKind),
        filter.subjectId === undefined ? undefined : eq(auditLog.subjectId, filter.subjectId),
        filter.from === undefined ? undefined : gte(auditLog.at, new Date(filter.from)),
        filter.to === undefined ? undefined : lt(auditLog.at, new Date(filter.to)),
        filter.cursor === undefined ? undefined : lt(auditLog.id, filter.cursor),
      ),
    )
    .orderBy(desc(auditLog.id))
    .limit(filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  return {
    records: page.map(({ xid: _, at, ...row }) => ({ ...row, at: at.toISOString() })),
    nextCursor: rows.length > filter.limit ? String(page.at(-1)?.id) : null,
  };
}

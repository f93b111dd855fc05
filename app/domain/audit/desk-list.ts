import { and, desc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import { validate as isUuid } from "uuid";
import { z } from "zod";
import { auditLog } from "#db/audit.ts";
import { user } from "#db/auth.ts";
import { customers } from "#db/customers.ts";
import type { Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";

const word = z
  .string()
  .trim()
  .min(1)
  .max(254)
  .regex(/^[^\p{Cc}]+$/u);

/** A day of the calendar, in UTC. PostgreSQL knows no year 0. */
const day = z.iso.date().refine((text) => !text.startsWith("0000"));

/** What the desk searches the record by; each page ends with the cursor of the next. */
export const deskAuditFilter = z.object({
  /** An e-mail address, an account's id, or the name of a machine. */
  who: word.optional(),
  /** An action such as `request.claimed`, or the beginning of some: `request`. */
  action: word.optional(),
  subject: word.optional(),
  /** The subject's id. */
  id: word.optional(),
  request: z.uuid().optional(),
  /** The first and the last day, both included, in UTC. */
  from: day.optional(),
  to: day.optional(),
  cursor: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
});
export type DeskAuditFilter = z.infer<typeof deskAuditFilter>;

/** One record, with the names that its ids stand for. Times are ISO 8601 in UTC. */
export interface DeskAuditRecord {
  id: number;
  at: string;
  actor: { kind: string; id: string; name: string | null };
  action: string;
  /** `name`: of a person or a company; null where there is none, or nothing to look it up by. */
  subject: { kind: string; id: string; name: string | null };
  request: { id: string; company: string } | null;
  origin: string;
  correlationId: string;
  data: Record<string, unknown>;
}

const PAGE = 50;

/** The record, newest first, paged by key. Every way of searching it goes along an index. */
export async function listDeskAudit(
  tx: Tx,
  filter: DeskAuditFilter,
): Promise<{ records: DeskAuditRecord[]; nextCursor: string | null }> {
  const conditions = await conditionsOf(tx, filter);
  if (conditions === null) return { records: [], nextCursor: null };
  const rows = await tx
    .select({
      id: auditLog.id,
      at: auditLog.at,
      actorKind: auditLog.actorKind,
      actorId: auditLog.actorId,
      action: auditLog.action,
      subjectKind: auditLog.subjectKind,
      subjectId: auditLog.subjectId,
      requestId: auditLog.requestId,
      origin: auditLog.origin,
      correlationId: auditLog.correlationId,
      data: auditLog.data,
    })
    .from(auditLog)
    .where(and(...conditions))
    .orderBy(desc(auditLog.id))
    .limit(PAGE + 1);
  const page = rows.slice(0, PAGE);
  const people = await namesOf(
    tx,
    page.flatMap((row) => [row.actorId, row.subjectId]),
  );
  const companies = await companiesOf(
    tx,
    page.flatMap(({ requestId }) => (requestId !== null && isUuid(requestId) ? [requestId] : [])),
  );
  return {
    records: page.map((row) => ({
      id: row.id,
      at: row.at.toISOString(),
      actor: { kind: row.actorKind, id: row.actorId, name: people.get(row.actorId) ?? null },
      action: row.action,
      subject: {
        kind: row.subjectKind,
        id: row.subjectId,
        name: people.get(row.subjectId) ?? null,
      },
      request: requestOf(row.requestId, companies),
      origin: row.origin,
      correlationId: row.correlationId,
      data: row.data,
    })),
    nextCursor: rows.length > PAGE ? String(page.at(-1)?.id) : null,
  };
}

function requestOf(id: string | null, companies: Map<string, string>): DeskAuditRecord["request"] {
  const company = id === null ? undefined : companies.get(id);
  return id === null || company === undefined ? null : { id, company };
}

/** @returns null where nothing can be found. */
async function conditionsOf(tx: Tx, filter: DeskAuditFilter): Promise<SQL[] | null> {
  const conditions: SQL[] = [];
  if (filter.who !== undefined) {
    const actorId = filter.who.includes("@") ? await accountOf(tx, filter.who) : filter.who;
    if (actorId === null) return null;
    conditions.push(eq(auditLog.actorId, actorId));
  }
  if (filter.action !== undefined) {
    const wanted = filter.action.toLowerCase();
    const actions = (await knownActions(tx)).filter((action) => action.startsWith(wanted));
    if (actions.length === 0) return null;
    conditions.push(inArray(auditLog.action, actions));
  }
  if (filter.subject !== undefined) conditions.push(eq(auditLog.subjectKind, filter.subject));
  if (filter.id !== undefined) conditions.push(eq(auditLog.subjectId, filter.id));
  if (filter.request !== undefined) conditions.push(eq(auditLog.requestId, filter.request));
  if (filter.cursor !== undefined) conditions.push(lt(auditLog.id, filter.cursor));
  if (filter.from !== undefined) {
    conditions.push(gte(auditLog.at, sql`${filter.from}::date::timestamp at time zone 'UTC'`));
  }
  if (filter.to !== undefined) {
    conditions.push(lt(auditLog.at, sql`(${filter.to}::date + 1)::timestamp at time zone 'UTC'`));
  }
  return conditions;
}

async function accountOf(tx: Tx, email: string): Promise<string | null> {
  const [account] = await tx
    .select({ id: user.id })
    .from(user)
    .where(eq(user.email, email.toLowerCase()));
  return account?.id ?? null;
}

/** Every action that was ever recorded: the index is read in leaps, one per action. */
export async function knownActions(tx: Tx): Promise<string[]> {
  const { rows } = await tx.execute<{ action: string }>(sql`
    with recursive leap as (
      (select action from audit_log order by action limit 1)
      union all
      select (select a.action from audit_log a where a.action > leap.action order by a.action limit 1)
      from leap where leap.action is not null
    )
    select action from leap where action is not null order by action`);
  return rows.map((row) => row.action);
}

async function namesOf(tx: Tx, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx
    .select({ id: user.id, name: user.name })
    .from(user)
    .where(inArray(user.id, [...new Set(ids)]));
  return new Map(rows.map(({ id, name }) => [id, name]));
}

async function companiesOf(tx: Tx, requestIds: string[]): Promise<Map<string, string>> {
  if (requestIds.length === 0) return new Map();
  const rows = await tx
    .select({ id: provisioningQueue.id, company: customers.company })
    .from(provisioningQueue)
    .innerJoin(customers, eq(customers.id, provisioningQueue.customerId))
    .where(inArray(provisioningQueue.id, [...new Set(requestIds)]));
  return new Map(rows.map(({ id, company }) => [id, company]));
}

import { sql } from "drizzle-orm";
import type { Tx } from "#db/index.ts";
import type { StaffRole } from "../identity/index.server.ts";
import { isOpenSql } from "../sla/index.server.ts";

/** invited: has chosen no password yet. */
export type StaffState = "invited" | "active" | "deactivated";

/** A person of the staff, as the desk shows them. Times are ISO 8601 in UTC. */
export interface StaffMember {
  userId: string;
  name: string;
  email: string;
  role: StaffRole;
  capacity: number;
  /** Open requests that they hold: not completed, not cancelled. */
  load: number;
  onDuty: boolean;
  state: StaffState;
  /** Of their newest entry in the audit record, signing in included; null without one. */
  lastActAt: string | null;
}

/** Everybody who is or was on the staff: those who work first, then by name. */
export async function listStaff(tx: Tx): Promise<StaffMember[]> {
  const { rows } = await tx.execute<
    Omit<StaffMember, "lastActAt"> & { lastActAt: Date | null }
  >(sql`
    select a.user_id as "userId", u.name, u.email, a.role, a.capacity, a.on_duty as "onDuty",
      coalesce(held.count, 0)::int as load,
      case when a.deactivated_at is not null then 'deactivated'
        when berth_has_password(a.user_id) then 'active' else 'invited' end as state,
      (select l.at from audit_log l where l.actor_id = a.user_id order by l.id desc limit 1) as "lastActAt"
    from admin_users a
    join auth."user" u on u.id = a.user_id
    left join (
      select assignee_id, count(*) from provisioning_queue
      where ${isOpenSql} and assignee_id is not null group by assignee_id
    ) held on held.assignee_id = a.user_id
    order by a.deactivated_at is not null, lower(u.name), a.user_id`);
  return rows.map((row) => ({
    ...row,
    lastActAt: row.lastActAt === null ? null : new Date(row.lastActAt).toISOString(),
  }));
}

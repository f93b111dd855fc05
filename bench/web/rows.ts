import type pg from "pg";

/** What a row of the queue shows, on every side alike. */
export interface QueueRow {
  id: string;
  company: string;
  plan: string;
  status: string;
  due_at: Date | null;
  assignee: string | null;
  priority: string;
  region: string;
  created_at: Date;
}

/** The first page of the desk's queue, in one query, for who may read everything. */
export async function firstRows(pool: pg.Pool): Promise<QueueRow[]> {
  const { rows } = await pool.query<QueueRow>(`
    select q.id, c.company, p.name as plan, q.status, q.due_at, u.name as assignee, q.priority,
      q.region, q.created_at
    from provisioning_queue q
      join customers c on c.id = q.customer_id
      join plans p on p.id = q.plan_id
      left join auth."user" u on u.id = q.assignee_id
    where q.status not in ('completed', 'cancelled')
    order by coalesce(q.due_at, 'infinity'), q.id limit 50`);
  return rows;
}

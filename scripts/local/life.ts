import { sql } from "drizzle-orm";
import { type Actor, asActor, type Db, type Tx, withActor } from "#db/index.ts";
import { actorOf, playAct, type Role, type Stage } from "./acts.ts";
import { plotOf } from "./plot.ts";
import { STORIES, type Story } from "./stories.ts";

const SUPERUSER: Actor = { kind: "worker", id: "seed", origin: "", correlationId: "seed" };

/** What is under way today: its mails really go out. Everything else is the past. */
const isUnderWay = ({ ending }: Story) => ending === "waiting" || ending === "claimed";

/**
 * Plays eight weeks of a believable past, up to now, by the domain's own commands: every rule,
 * trigger and record holds as if it had happened.
 *
 * It is one transaction, as the superuser, who alone may shift the clock. The shift is written and
 * undone within it, so no other process ever sees it: berth_now() reads what its own transaction
 * sees. The jobs of the past are gone, and its mails count as sent, before the commit: no worker
 * picks up any of it. A crash in the middle leaves nothing behind.
 */
export async function playLife(
  admin: Db,
  deps: Omit<Stage, "tx">,
  stories: readonly Story[] = STORIES,
): Promise<void> {
  await asActor(admin, SUPERUSER, async (tx) => {
    const stage = { ...deps, tx };
    await backToSuperuser(tx);
    const { rows } = await tx.execute<{ now: string; shift: string | null }>(sql`
      select extract(epoch from now()) * 1000 as now, (select shift::text from berth_test_clock) as shift`);
    const now = new Date(Number(rows[0]?.now));
    const roles = new Map<Story, Role>();
    for (const { at, story, act } of plotOf(stories, now)) {
      const role = roles.get(story) ?? { story, number: roles.size, requestId: "", runId: "" };
      roles.set(story, role);
      const actor = await actorOf(stage, role, act);
      await shiftClock(tx, `${(at.getTime() - now.getTime()) / 1_000} seconds`);
      await withActor(tx, actor);
      await playAct(stage, actor, role, act);
      await backToSuperuser(tx);
      if (!isUnderWay(story)) await sendMails(tx, role.requestId);
    }
    const past = [...roles.values()].filter(({ story }) => !isUnderWay(story));
    await dropJobs(
      tx,
      past.map(({ requestId }) => requestId),
    );
    await shiftClock(tx, rows[0]?.shift ?? null);
  });
}

async function backToSuperuser(tx: Tx): Promise<void> {
  await tx.execute(sql`select set_config('role', 'none', true)`);
}

async function shiftClock(tx: Tx, shift: string | null): Promise<void> {
  await tx.execute(
    shift === null
      ? sql`delete from berth_test_clock`
      : sql`insert into berth_test_clock (shift) values (${shift}::interval)
          on conflict (singleton) do update set shift = excluded.shift`,
  );
}

/** The mails of a past act went out two seconds after it. */
async function sendMails(tx: Tx, requestId: string): Promise<void> {
  await tx.execute(sql`
    with sent as (
      update outbox set status = 'sent', attempts = 1, sent_at = created_at + interval '2 seconds'
      where request_id = ${requestId} and status = 'waiting'
      returning id, kind, request_id, sent_at
    )
    insert into audit_log (at, actor_kind, actor_id, correlation_id, action, subject_kind, subject_id, request_id, data)
    select sent_at, 'worker', 'worker-demo', 'seed', 'mail.sent', 'mail', id, request_id, jsonb_build_object('kind', kind)
    from sent`);
}

async function dropJobs(tx: Tx, requestIds: string[]): Promise<void> {
  const ids = sql`any(${sql.param(requestIds)}::uuid[])`;
  await tx.execute(sql`
    delete from pgboss.job where data ->> 'outboxId' in (select id::text from outbox where request_id = ${ids})
      or data ->> 'runId' in (select id::text from provisioning_runs where request_id = ${ids})`);
}

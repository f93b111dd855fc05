import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { NotStaffError } from "../identity/index.server.ts";
import {
  CopyNotConfirmedError,
  createLink,
  listOutbox,
  MailNotFoundError,
  MailNotResendableError,
  outboxFilter,
  queueMail,
  resendMail,
} from "./index.server.ts";

let desk: Desk;
const kim: Actor = { kind: "staff", id: "kim", origin: "", correlationId: "t" };

beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(() => desk.base.admin.query("truncate outbox, one_time_links"));
afterAll(() => desk.base.drop());

const rows = async () =>
  (
    await desk.base.admin.query(
      "select *, next_attempt_at <= berth_now() as is_due from outbox order by id",
    )
  ).rows;
const links = async () =>
  (await desk.base.admin.query("select * from one_time_links order by id")).rows;
const end = (status: "sent" | "dead", id?: string) =>
  desk.base.admin.query(
    `update outbox set status = $1, attempts = 30, last_error = 'refused',
       sent_at = case when $1 = 'sent' then now() end, next_attempt_at = now() + interval '1 hour'
     where $2::uuid is null or id = $2`,
    [status, id ?? null],
  );
const resend = (id: string, actor = kim, mayCopy = true) =>
  desk.as(actor, (tx) => resendMail({ tx, actor }, id, { mayCopy }));
const list = (filter: Record<string, unknown> = {}) =>
  desk.as(kim, (tx) => listOutbox(tx, outboxFilter.parse(filter)));
const jobsOf = async (id: string) =>
  (await desk.base.admin.query("select 1 from pgboss.job where data ->> 'outboxId' = $1", [id]))
    .rowCount;
const setPasswordOf = (userId: string) =>
  desk.base.admin.query(
    `insert into auth.account (id, user_id, account_id, provider_id, password)
     values (gen_random_uuid()::text, $1, $1, 'credential', 'x')`,
    [userId],
  );

describe("a dead mail", () => {
  it("goes back to waiting, at once and from the first attempt, with a link of full life", async () => {
    const { id: requestId } = await desk.request({ email: "ann@example.com" });
    await end("dead");
    const [before] = await rows();
    const jobs = (await jobsOf(before.id)) ?? 0;
    expect(await resend(before.id, kim, false)).toEqual({
      recipient: "ann@example.com",
      isCopy: false,
      hasFreshLink: true,
    });
    const [after, ...more] = await rows();
    expect(more).toEqual([]);
    expect(after).toMatchObject({
      id: before.id,
      recipient: "ann@example.com",
      status: "waiting",
      attempts: 0,
      last_error: null,
    });
    expect(after.is_due).toBe(true);
    expect(after.data.linkId).not.toBe(before.data.linkId);
    const [old, fresh] = await links();
    expect(fresh).toMatchObject({
      id: after.data.linkId,
      purpose: "set-password",
      subject_id: old.subject_id,
      request_id: requestId,
      used_at: null,
    });
    expect(await jobsOf(before.id)).toBe(jobs + 1);
    const audit = await desk.base.admin.query(
      "select actor_id, request_id, data from audit_log where action = 'mail.resend'",
    );
    expect(audit.rows).toEqual([
      {
        actor_id: "kim",
        request_id: requestId,
        data: { kind: "received", was: "dead", sentAs: before.id, hasFreshLink: true },
      },
    ]);
    await expect(resend(before.id)).rejects.toThrow(MailNotResendableError);
  });
});

describe("a mail that was sent", () => {
  it("goes out as a copy to the same person, once, however often it is pressed", async () => {
    await desk.request({ email: "ann@example.com" });
    await end("sent");
    const [mail] = await rows();
    await expect(resend(mail.id, kim, false)).rejects.toThrow(CopyNotConfirmedError);
    expect(await rows()).toEqual([mail]);
    const attempts = await Promise.allSettled([resend(mail.id), resend(mail.id), resend(mail.id)]);
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const [original, copy, ...more] = await rows();
    expect(more).toEqual([]);
    expect(original).toEqual(mail);
    expect(copy).toMatchObject({
      kind: mail.kind,
      recipient: mail.recipient,
      request_id: mail.request_id,
      status: "waiting",
      attempts: 0,
    });
    expect(copy.data.copyOf).toBe(mail.id);
    expect(await jobsOf(copy.id)).toBe(1);
    await end("sent");
    await expect(resend(mail.id)).rejects.toThrow(MailNotResendableError);
    await desk.base.admin.query("update outbox set created_at = now() - interval '2 minutes'");
    expect(await resend(mail.id)).toMatchObject({ isCopy: true });
  });

  it("about an account alone is copied, too", async () => {
    await desk.as(kim, (tx) =>
      queueMail({ tx }, { kind: "invitation", recipient: "lou@berth.example" }),
    );
    await end("sent");
    const [mail] = await rows();
    await resend(mail.id);
    await expect(resend(mail.id)).rejects.toThrow(MailNotResendableError);
    expect((await rows())[1]).toMatchObject({ request_id: null, recipient: "lou@berth.example" });
  });

  it("carries no link for a password where one was chosen since, but for who asked for one", async () => {
    await desk.request({ email: "chosen@example.com" });
    await end("sent");
    const [mail] = await rows();
    const [link] = await links();
    await setPasswordOf(link.subject_id);
    expect(await resend(mail.id)).toMatchObject({ hasFreshLink: false });
    const [, copy] = await rows();
    expect(copy.data).toEqual({ copyOf: mail.id });

    const asked = await desk.as(kim, async (tx) => {
      const linkId = await createLink(tx, { purpose: "set-password", subjectId: link.subject_id });
      const data = { linkPurpose: "set-password", linkId };
      return queueMail({ tx }, { kind: "password", recipient: "chosen@example.com", data });
    });
    await end("sent", asked);
    expect(await resend(asked)).toMatchObject({ hasFreshLink: true });
  });

  it("about a backend that is no longer in use is refused", async () => {
    const { id, customerId } = await desk.request();
    const backend = await desk.base.admin.query(
      `insert into customer_backends (id, customer_id, request_id, project_ref, url, status)
       values (gen_random_uuid(), $1, $2, 'abc', 'https://abc.supabase.co', 'ready') returning id`,
      [customerId, id],
    );
    const backendId = backend.rows[0].id;
    const ready = await desk.as(kim, async (tx) => {
      const linkId = await createLink(tx, {
        purpose: "owner",
        subjectId: backendId,
        requestId: id,
      });
      const data = { linkPurpose: "owner", linkId, backendId };
      return queueMail({ tx }, { kind: "ready", requestId: id, recipient: "a@example.com", data });
    });
    await end("dead", ready);
    expect(await resend(ready)).toMatchObject({ hasFreshLink: true });
    const again = (await rows()).find((row) => row.id === ready);
    expect(again.data).toMatchObject({ backendId, linkPurpose: "owner" });
    await end("dead", ready);
    await desk.base.admin.query("update customer_backends set status = 'retired'");
    await expect(resend(ready)).rejects.toThrow(MailNotResendableError);
  });
});

describe("who may, and what never changes", () => {
  it("refuses waiting mails, unknown ones, and whoever is not on the staff", async () => {
    await desk.request();
    const [mail] = await rows();
    await expect(resend(mail.id)).rejects.toThrow(MailNotResendableError);
    await expect(resend("00000000-0000-7000-8000-000000000000")).rejects.toThrow(MailNotFoundError);
    await end("dead");
    await expect(resend(mail.id, { ...kim, id: "nobody" })).rejects.toThrow(NotStaffError);
    await desk.base.admin.query(
      "update admin_users set deactivated_at = now() where user_id = 'lou'",
    );
    await expect(resend(mail.id, { ...kim, id: "lou" })).rejects.toThrow(NotStaffError);
    await desk.base.admin.query("update admin_users set deactivated_at = null");
    expect((await rows())[0].status).toBe("dead");
  });

  it("never sends a link for an account to another address than its own", async () => {
    await desk.request({ email: "moved@example.com" });
    await end("dead");
    const [mail] = await rows();
    const [link] = await links();
    await desk.base.admin.query(`update auth."user" set email = 'new@example.com' where id = $1`, [
      link.subject_id,
    ]);
    await expect(resend(mail.id)).rejects.toThrow(MailNotResendableError);
  });

  it("leaves the desk no way to change to whom a mail goes, what it is, or when it was sent", async () => {
    await desk.request();
    for (const change of ["recipient = 'evil@example.com'", "kind = 'ready'", "sent_at = now()"]) {
      const attempt = desk.as(kim, (tx) => tx.execute(`update outbox set ${change}`));
      await expect(attempt, change).rejects.toMatchObject({ cause: { code: "42501" } });
    }
  });

  it("refuses an invitation to somebody who was taken off the staff", async () => {
    const invitation = await desk.as(kim, async (tx) => {
      const linkId = await createLink(tx, { purpose: "set-password", subjectId: "lou" });
      const data = { linkPurpose: "set-password", linkId };
      return queueMail({ tx }, { kind: "invitation", recipient: "lou@berth.example", data });
    });
    await end("dead", invitation);
    await desk.base.admin.query(
      "update admin_users set deactivated_at = now() where user_id = 'lou'",
    );
    await expect(resend(invitation)).rejects.toThrow(MailNotResendableError);
    await desk.base.admin.query("update admin_users set deactivated_at = null");
    expect(await resend(invitation)).toMatchObject({ hasFreshLink: true });
  });
});

describe("the outbox", () => {
  it("is searched by state, kind and the beginning of the address, newest first, in pages", async () => {
    await desk.base.admin.query(
      `insert into outbox (id, kind, recipient, status, created_at)
       select gen_random_uuid(), case when n % 2 = 0 then 'invitation' else 'password' end,
         case when n % 10 = 0 then 'a_n' || n || '@example.com' else 'bob' || n || '@example.com' end,
         case when n % 5 = 0 then 'dead' else 'sent' end, now()
       from generate_series(1, 120) n`,
    );
    const first = await list();
    expect(first.mails).toHaveLength(50);
    expect(first.dead).toBe(24);
    const second = await list({ cursor: first.nextCursor });
    const third = await list({ cursor: second.nextCursor });
    expect(third.nextCursor).toBeNull();
    const ids = [first, second, third].flatMap(({ mails }) => mails.map(({ id }) => id));
    expect(new Set(ids).size).toBe(120);
    expect(ids).toEqual([...ids].sort().reverse());
    const found = await list({ status: "dead", kind: "invitation", to: "A_N" });
    expect(found.mails).toHaveLength(12);
    expect(found.mails.every(({ recipient }) => recipient.startsWith("a_n"))).toBe(true);
    // Neither a wildcard nor a backslash means more than itself.
    expect((await list({ to: "%" })).mails).toEqual([]);
    expect((await list({ to: "bo_" })).mails).toEqual([]);
    expect((await list({ to: "\\" })).mails).toEqual([]);
  });

  it("names the company of a request, and shows neither links nor tokens", async () => {
    await desk.request({ company: "Quay & Co", email: "ann@example.com" });
    const { mails } = await list();
    expect(mails[0]).toMatchObject({
      kind: "received",
      recipient: "ann@example.com",
      request: { company: "Quay & Co" },
      status: "waiting",
      nextAttemptAt: expect.any(String),
      sentAt: null,
      isCopy: false,
    });
    expect(JSON.stringify(mails)).not.toContain((await links())[0].id);
  });
});

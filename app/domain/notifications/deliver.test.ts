import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMailer, type Mailer, SEND_TIMEOUT_MS } from "#app/integrations/smtp/mailer.ts";
import { createLogger } from "#app/platform/log.ts";
import { asActor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { type MailServer, startMailServer } from "../../../tests/support/mail-server.ts";
import { type DeliveryDeps, deliverNext, linkToken, listMails, queueMail } from "./index.server.ts";
import { mailFailed, mailSent, takeMail } from "./outbox.ts";

let desk: Desk;
let server: MailServer;
let mailer: Mailer;
const linkKey = randomBytes(32);
const logged: string[] = [];
const log = createLogger({ level: "info", destination: { write: (line) => logged.push(line) } });

beforeAll(async () => {
  desk = await openDesk();
  server = await startMailServer();
  mailer = createMailer(server.url, "Berth <berth@berth.example>");
});
beforeEach(() => desk.base.admin.query("truncate outbox"));
afterEach(async () => {
  server.refuse(null);
  server.mails.length = 0;
  logged.length = 0;
  await desk.base.shiftClock("0");
});
afterAll(async () => {
  mailer.close();
  await server.stop();
  await desk.base.drop();
});

const deliver = (outboxId?: string, more: Partial<DeliveryDeps> = {}) =>
  deliverNext(
    {
      db: desk.base.db,
      actor: desk.worker,
      mailer,
      linkKey,
      publicUrl: "https://berth.example",
      log,
      ...more,
    },
    outboxId,
  );
const outbox = async () => (await desk.base.admin.query("select * from outbox order by id")).rows;
const header = (name: string, at = 0) =>
  server.mails[at]?.headers.filter((line) => line.toLowerCase().startsWith(`${name}:`)) ?? [];
/** Shifts the clock to where the next attempt of the only mail is due. */
const waitForNext = async () => {
  const { rows } = await desk.base.admin.query(
    "select (next_attempt_at - now() + interval '1 second')::text as shift from outbox",
  );
  await desk.base.shiftClock(rows[0].shift);
};

describe("a mail that is taken", () => {
  it("goes to one person, once, and is marked and recorded as sent", async () => {
    const { id: requestId } = await desk.request({ email: "ann@example.com", company: "Ann & Co" });
    expect(await deliver()).toBe(true);
    expect(await deliver()).toBe(false);
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]).toMatchObject({ from: "berth@berth.example", to: ["ann@example.com"] });
    const [row] = await outbox();
    expect(row).toMatchObject({ status: "sent", attempts: 1, last_error: null });
    expect(row.sent_at).not.toBeNull();
    expect(header("message-id")).toEqual([`Message-ID: <${row.id}@berth.example>`]);
    expect(header("subject")).toEqual(["Subject: We have your request for Ann & Co"]);
    const { rows } = await desk.base.admin.query(
      "select action, request_id, data from audit_log where subject_id = $1",
      [row.id],
    );
    expect(rows).toEqual([
      { action: "mail.sent", request_id: requestId, data: { kind: "received" } },
    ]);
  });

  it("carries a link that is made when it is sent, and stands in no row", async () => {
    await desk.request();
    const [row] = await outbox();
    const token = linkToken(linkKey, row.data.linkId);
    await deliver();
    const link = `https://berth.example/account/password?token=${token}`;
    expect(server.mails[0]?.text).toContain(link);
    expect(server.mails[0]?.html).toContain(`href="${link}"`);
    expect(JSON.stringify(await outbox())).not.toContain(token);
  });

  it("says that it takes longer, once what was promised has passed, and promises nothing when it is done", async () => {
    const { id } = await desk.request();
    const again = async () => {
      // A clock that is set back by a moment must not make it wait.
      await desk.base.admin.query(
        "update outbox set status = 'waiting', next_attempt_at = now() - interval '1 minute'",
      );
      await deliver();
      expect(await outbox()).toMatchObject([{ status: "sent", last_error: null }]);
      return server.mails.at(-1)?.text;
    };
    expect(await again()).toContain("We expect it to be ready by");
    await desk.plant(id, { due_at: new Date(Date.now() - 2 * 86_400_000) });
    const late = await again();
    expect(late).toContain("It takes longer than we promised, and we are sorry.");
    expect(late).not.toContain("We expect");
    await desk.plant(id, { status: "completed", ended_at: new Date() });
    expect(await again()).not.toMatch(/We expect|longer than we promised/);
  });

  it("is sent by one of many workers at once", async () => {
    for (let count = 0; count < 6; count += 1) await desk.request();
    const took = await Promise.all(Array.from({ length: 12 }, () => deliver()));
    while (await deliver());
    expect(took.filter(Boolean).length).toBeGreaterThan(0);
    expect(server.mails).toHaveLength(6);
    expect(new Set(server.mails.map(({ to }) => to[0])).size).toBe(6);
  });

  it("is the one that was asked for, or none", async () => {
    await desk.request({ email: "first@example.com" });
    await desk.request({ email: "second@example.com" });
    const [, second] = await outbox();
    expect(await deliver(second.id)).toBe(true);
    expect(await deliver(second.id)).toBe(false);
    expect(server.mails.map(({ to }) => to)).toEqual([["second@example.com"]]);
  });
});

describe("a mail with something else in its facts", () => {
  it("keeps its headers, whatever the company and the person are called", async () => {
    const { id, customerId } = await desk.request({ email: "ann@example.com" });
    await desk.base.admin.query(
      "update customers set company = $2, contact_name = $3 where id = $1",
      [
        customerId,
        "Evil\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>",
        'Ann" <evil@example.com>, "x\r\nCc: evil@example.com',
      ],
    );
    await deliver();
    const [mail] = server.mails;
    expect(mail?.to).toEqual(["ann@example.com"]);
    expect([header("bcc"), header("cc")]).toEqual([[], []]);
    expect(header("subject")).toHaveLength(1);
    expect(header("to")).toHaveLength(1);
    expect(mail?.html).toContain("&#60;script&#62;alert(1)&#60;/script&#62;");
    expect(mail?.html).not.toContain("<script");
    expect(mail?.text).toContain(id);
  });

  it.each(["a@b.co, evil@x.co", "a@b.co\r\nBcc: evil@x.co", "Ann <a@b.co>", "a@b.co;c@d.co", "a"])(
    "is never sent to %j",
    async (recipient) => {
      const { id } = await desk.request();
      await desk.base.admin.query("update outbox set recipient = $1", [recipient]);
      expect(await deliver()).toBe(true);
      expect(server.mails).toEqual([]);
      const [mail] = await desk.as(desk.kim, (tx) => listMails(tx, id));
      expect(mail).toMatchObject({ status: "dead", attempts: 1 });
    },
  );

  it("reads no file and no address that its facts name", async () => {
    const { id } = await desk.request();
    await desk.base.admin.query("truncate outbox");
    await desk.as(desk.kim, (tx) =>
      queueMail(
        { tx },
        {
          kind: "credentials_problem",
          requestId: id,
          recipient: "ann@example.com",
          data: { path: "/etc/passwd", href: "http://127.0.0.1/", problem: "x", text: "y" },
        },
      ),
    );
    await deliver();
    expect(server.mails[0]?.text).toContain("cannot be used as it is. x");
    expect(server.mails[0]?.text).not.toContain("root:");
    expect(server.mails[0]?.html).not.toContain("root:");
  });
});

describe("a mail that is not taken", () => {
  it("is sent twice under one name, when the worker dies between sending and marking", async () => {
    await desk.request();
    await desk.base.admin.query(`
      create function die() returns trigger language plpgsql as $$ begin raise 'died'; end $$;
      create trigger die before update on outbox for each row when (new.status = 'sent') execute function die()`);
    await expect(deliver()).rejects.toThrow();
    await desk.base.admin.query("drop trigger die on outbox; drop function die()");
    expect(await outbox()).toMatchObject([{ status: "waiting", attempts: 1 }]);
    await waitForNext();
    expect(await deliver()).toBe(true);
    expect(server.mails).toHaveLength(2);
    expect(header("message-id", 0)).toEqual(header("message-id", 1));
    expect(header("message-id", 0)).toHaveLength(1);
    expect(await outbox()).toMatchObject([{ status: "sent", attempts: 2 }]);
  });

  it("is left alone for as long as it may be on its way, and then belongs to who takes it next", async () => {
    await desk.request();
    const { db } = desk.base;
    const held = { db, actor: desk.worker };
    const first = await takeMail(held);
    if (!first) throw new Error("There was a mail to take.");
    await desk.base.shiftClock("2 minutes");
    const lease = first.nextAttemptAt.getTime() - first.createdAt.getTime();
    expect(lease).toBeGreaterThan(SEND_TIMEOUT_MS);
    expect(await deliver()).toBe(false);
    await waitForNext();
    const second = await takeMail(held);
    if (!second) throw new Error("The lease was over.");
    const late = (row: typeof first, work: typeof mailSent) =>
      asActor(db, desk.worker, (tx) => work({ tx, actor: desk.worker }, row));
    const refused = (row: typeof first) =>
      late(row, (context, mail) => mailFailed(context, mail, { reason: "late", final: true }));
    await late(first, mailSent);
    await refused(first);
    expect(await outbox()).toMatchObject([{ status: "waiting", attempts: 2, last_error: null }]);
    await late(second, mailSent);
    await refused(second);
    expect(await outbox()).toMatchObject([{ status: "sent", attempts: 2, last_error: null }]);
    const { rows } = await desk.base.admin.query(
      "select action from audit_log where subject_id = $1",
      [first.id],
    );
    expect(rows).toEqual([{ action: "mail.sent" }]);
  });

  it("because Berth failed says no more than that at the desk, and the rest in the log", async () => {
    const { id } = await desk.request();
    await desk.base.admin.query(
      `update outbox set data = data || '{"backendId": "canary is no id"}'`,
    );
    expect(await deliver()).toBe(true);
    const [mail] = await desk.as(desk.kim, (tx) => listMails(tx, id));
    expect(mail).toMatchObject({
      status: "waiting",
      lastError: "Berth could not write this mail; see the worker's log.",
    });
    expect(logged.join()).toContain("canary is no id");
    expect(logged.join()).toContain(mail?.id);
  });

  it.each([
    { at: "recipient", code: 450 },
    { at: "message", code: 451 },
  ] as const)("for now ($at, $code) is tried again, and then sent", async (refusal) => {
    const { id } = await desk.request();
    server.refuse(refusal);
    expect(await deliver()).toBe(true);
    const [mail] = await desk.as(desk.kim, (tx) => listMails(tx, id));
    expect(mail).toMatchObject({
      status: "waiting",
      attempts: 1,
      lastError: `The mail server answered ${refusal.code}.`,
    });
    server.refuse(null);
    await waitForNext();
    expect(await deliver()).toBe(true);
    expect(await outbox()).toMatchObject([{ status: "sent", attempts: 2, last_error: null }]);
  });

  it.each([
    { at: "recipient", code: 550 },
    { at: "message", code: 554 },
  ] as const)("for good ($at, $code) is a dead letter that staff can see", async (refusal) => {
    const { id } = await desk.request();
    server.refuse(refusal);
    await deliver();
    const [mail] = await desk.as(desk.kim, (tx) => listMails(tx, id));
    expect(mail).toMatchObject({
      status: "dead",
      attempts: 1,
      lastError: `The mail server answered ${refusal.code}.`,
    });
    const { rows } = await desk.base.admin.query(
      "select data from audit_log where action = 'mail.dead' and request_id = $1",
      [id],
    );
    expect(rows).toEqual([{ data: { kind: "received", attempts: 1 } }]);
    server.refuse(null);
    await desk.base.shiftClock("30 days");
    expect(await deliver()).toBe(false);
  });

  it("because nobody is there waits longer each time, up to an hour, and is given up at last", async () => {
    const gone = await startMailServer();
    const nobody = createMailer(gone.url, "berth@berth.example");
    await gone.stop();
    const { id } = await desk.request();
    for (let attempt = 1; attempt <= 30; attempt += 1) {
      const [before] = await outbox();
      expect(await deliver(undefined, { mailer: nobody })).toBe(true);
      const [after] = await outbox();
      expect(after.attempts).toBe(attempt);
      expect(after.last_error).toBe("The mail server cannot be reached.");
      expect(after.status).toBe(attempt < 30 ? "waiting" : "dead");
      // By the database's clock: at least the wait that is meant, from when it was due.
      const waited = (after.next_attempt_at - before.next_attempt_at) / 1_000;
      const meant = Math.min(3_600, 10 * 2 ** (attempt - 1));
      expect(waited).toBeGreaterThanOrEqual(meant);
      if (attempt > 10) expect(waited).toBeLessThan(2 * 3_600);
      await waitForNext();
    }
    expect(await deliver(undefined, { mailer: nobody })).toBe(false);
    const [mail] = await desk.as(desk.kim, (tx) => listMails(tx, id));
    expect(mail).toMatchObject({ status: "dead", attempts: 30 });
    nobody.close();
  });
});

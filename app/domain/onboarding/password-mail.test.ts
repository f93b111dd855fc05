import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Actor } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { findLink, linkToken } from "../notifications/index.server.ts";
import { mailPasswordLink } from "./index.server.ts";

let desk: Desk;
const web: Actor = { kind: "api", id: "web", origin: "192.0.2.7", correlationId: "c" };

beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.base.drop());

const ask = (email: string) => desk.as(web, (tx) => mailPasswordLink({ tx, actor: web }, email));
const rowsOf = async (text: string) => (await desk.base.admin.query(text)).rows;

it("mails a link for this account to its own address, and records who asked", async () => {
  await ask("lou@berth.example");
  const [mail, ...more] = await rowsOf("select kind, recipient, request_id, data from outbox");
  expect(more).toEqual([]);
  expect(mail).toMatchObject({
    kind: "password",
    recipient: "lou@berth.example",
    request_id: null,
  });
  expect(mail.data.linkPurpose).toBe("set-password");
  const key = randomBytes(32);
  const link = await desk.as(desk.worker, (tx) =>
    findLink(tx, key, "set-password", linkToken(key, mail.data.linkId)),
  );
  expect(link).toMatchObject({ subjectId: "lou", requestId: null });
  expect(
    await rowsOf(
      "select action, subject_id, actor_id, origin from audit_log where actor_id = 'web'",
    ),
  ).toEqual([
    { action: "account.password_asked", subject_id: "lou", actor_id: "web", origin: "192.0.2.7" },
  ]);
});

it("does nothing for an address without an account", async () => {
  const count = () =>
    rowsOf("select count(*) from outbox union all select count(*) from one_time_links");
  const before = await count();
  await ask("nobody@berth.example");
  expect(await count()).toEqual(before);
});

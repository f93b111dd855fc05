import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Actor, createDb } from "#db/index.ts";
import { type Desk, openDesk } from "../../../tests/support/desk.ts";
import { type Auth, createAuth, WeakPasswordError } from "../identity/index.server.ts";
import { createLink, LinkNotValidError, linkToken } from "../notifications/index.server.ts";
import { redeemPasswordLink } from "./index.server.ts";

let desk: Desk;
let auth: Auth;
let authDb: ReturnType<typeof createDb>;
const linkKey = randomBytes(32);
const reader: Actor = { kind: "worker", id: "link", origin: "192.0.2.1", correlationId: "c" };

beforeAll(async () => {
  desk = await openDesk();
  authDb = createDb(desk.base.authDatabaseUrl, { applicationName: "t", onError: () => {} });
  auth = createAuth({
    db: authDb,
    appSecret: "x".repeat(40),
    publicUrl: "http://127.0.0.1:3000",
    onError: () => {},
  });
});
afterAll(async () => {
  await authDb.$client.end();
  await desk.base.drop();
});

it("sets a password by a link once, and records who did it; a weak one leaves the link good", async () => {
  const { id: requestId } = await desk.request();
  const linkId = await desk.as(desk.kim, (tx) =>
    createLink(tx, { purpose: "set-password", subjectId: "lou", requestId }),
  );
  const redeem = (password: string) =>
    redeemPasswordLink(
      { db: desk.base.db, actor: reader, auth, linkKey },
      linkToken(linkKey, linkId),
      password,
    );
  await expect(redeem("short")).rejects.toThrow(WeakPasswordError);
  const attempts = await Promise.allSettled([
    redeem("harbour crane lantern"),
    redeem("harbour crane lantern"),
  ]);
  const lost = attempts.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(lost).toEqual([expect.any(LinkNotValidError)]);
  const signedIn = await auth.api.signInEmail({
    body: { email: "lou@berth.example", password: "harbour crane lantern" },
  });
  expect(signedIn.user.id).toBe("lou");
  const { rows } = await desk.base.admin.query(
    `select actor_kind, actor_id, origin, subject_id, request_id from audit_log
     where action = 'account.password_set'`,
  );
  expect(rows).toEqual([
    {
      actor_kind: "worker",
      actor_id: "link",
      origin: "192.0.2.1",
      subject_id: "lou",
      request_id: requestId,
    },
  ]);
});

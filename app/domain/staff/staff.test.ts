import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Actor, asActor, createDb, type Db } from "#db/index.ts";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import { loadCatalog, syncCatalog } from "../catalog/index.server.ts";
import {
  AccountExistsError,
  type Auth,
  createAuth,
  ensureAccount,
  NotStaffError,
  RoleMissingError,
  readVisitor,
  requireStaff,
  setPassword,
  signIn,
  signUp,
} from "../identity/index.server.ts";
import { linkToken } from "../notifications/index.server.ts";
import { newCustomerInput, redeemPasswordLink, submitRequest } from "../onboarding/index.server.ts";
import { type Context, claimRequest } from "../queue/index.server.ts";
import {
  admitMember,
  changeMember,
  deactivateMember,
  InvitationNotNeededError,
  inviteMember,
  LastSupervisorError,
  listStaff,
  MemberChangedError,
  OwnAccountError,
  reactivateMember,
  resendInvitation,
  StaffNotFoundError,
  setOnDuty,
} from "./index.server.ts";

let base: TestDatabase;
let authDb: Db;
let auth: Auth;
const linkKey = randomBytes(32);

const staff = (id: string): Actor => ({
  kind: "staff",
  id,
  origin: "10.0.0.1",
  correlationId: "t",
});
const worker: Actor = { kind: "worker", id: "worker-1", origin: "", correlationId: "t" };
const deps = (id: string) => ({ db: base.db, auth, actor: staff(id) });
const as = <T>(id: string, work: (context: Context) => Promise<T>) =>
  asActor(base.db, staff(id), (tx) => work({ tx, actor: staff(id) }));

beforeAll(async () => {
  base = await createTestDatabase();
  authDb = createDb(base.authDatabaseUrl, { applicationName: "t", onError: () => {} });
  auth = createAuth({
    db: authDb,
    appSecret: "x".repeat(40),
    publicUrl: "http://127.0.0.1:3000",
    onError: () => {},
  });
  const catalog = await loadCatalog("feature-templates");
  await asActor(base.db, worker, (tx) => syncCatalog(tx, catalog));
});
afterAll(async () => {
  await authDb.$client.end();
  await base.drop();
});

/** Kim is an admin, Lou an operator, Sam the only supervisor. */
beforeEach(async () => {
  await base.admin.query(`
    truncate outbox, one_time_links, customers, provisioning_queue cascade;
    truncate admin_users cascade;
    delete from auth."user";
    insert into auth."user" (id, name, email, email_verified) values
      ('kim', 'Kim', 'kim@berth.example', true), ('lou', 'Lou', 'lou@berth.example', true),
      ('sam', 'Sam', 'sam@berth.example', true);
    insert into admin_users (user_id, role) values
      ('kim', 'admin'), ('lou', 'operator'), ('sam', 'supervisor')`);
});

/** Changes somebody on a page that was opened just now, or when it `showed` something else. */
async function change(
  by: string,
  id: string,
  wish: Parameters<typeof changeMember>[2],
  showed?: typeof wish,
) {
  const row = await rowOf(id);
  return changeMember(deps(by), id, wish, showed ?? { role: row?.role, capacity: row?.capacity });
}

const rowOf = async (id: string) =>
  (await base.admin.query("select * from admin_users where user_id = $1", [id])).rows[0];
const audited = async (action: string, id: string) =>
  (
    await base.admin.query(
      "select actor_id, origin, data from audit_log where action = $1 and subject_id = $2 order by id desc limit 1",
      [action, id],
    )
  ).rows[0];
const mails = async () => (await base.admin.query("select * from outbox order by id")).rows;

/** The cookies of a browser in which this person has signed in. */
async function browserOf(id: string, password = "harbour crane lantern"): Promise<Headers> {
  const { rows } = await base.admin.query(`select email from auth."user" where id = $1`, [id]);
  const cookies = await signIn(auth, { email: rows[0].email, password }, new Headers());
  const cookie = cookies.getSetCookie().map((line) => line.split(";")[0]);
  return new Headers({ cookie: cookie.join("; ") });
}
const visitor = (headers: Headers) => readVisitor({ auth, db: base.db }, headers);

async function newRequest(): Promise<string> {
  const catalog = await loadCatalog("feature-templates");
  const actor: Actor = { kind: "api", id: "kim", origin: "", correlationId: "t" };
  const mark = randomBytes(4).toString("hex");
  const input = newCustomerInput.parse({
    company: `Company ${mark}`,
    contactName: "Demo Customer",
    email: `customer-${mark}@example.com`,
    country: "DE",
    region: "eu-central-1",
    plan: "starter",
    billingCycle: "monthly",
    features: [],
  });
  return (await asActor(base.db, actor, (tx) => submitRequest({ tx, actor, catalog }, input)))
    .request.id;
}

describe("an invitation", () => {
  const ann = { email: "Ann@Berth.example", name: "Ann", role: "admin" as const, capacity: 4 };

  it("makes the account, puts it on the staff, and mails a link that sets the password", async () => {
    const { userId } = await inviteMember(deps("lou"), ann);
    expect(await rowOf(userId)).toMatchObject({ role: "admin", capacity: 4, on_duty: true });
    const [mail] = await mails();
    expect(mail).toMatchObject({
      kind: "invitation",
      recipient: "ann@berth.example",
      request_id: null,
      data: { linkPurpose: "set-password" },
    });
    expect(await audited("staff.add", userId)).toMatchObject({ actor_id: "lou" });
    const people = () => asActor(base.db, staff("kim"), listStaff);
    const state = async () => (await people()).find((one) => one.userId === userId)?.state;
    expect(await state()).toBe("invited");
    const token = linkToken(linkKey, mail.data.linkId);
    const redeem = { db: base.db, actor: worker, auth, linkKey };
    await redeemPasswordLink(redeem, token, "quiet lantern harbour");
    expect(await state()).toBe("active");
    expect(await visitor(await browserOf(userId, "quiet lantern harbour"))).toMatchObject({
      userId,
      role: "admin",
    });
  });

  it("is for supervisors and operators to send", async () => {
    await expect(inviteMember(deps("kim"), ann)).rejects.toThrow(RoleMissingError);
    await expect(inviteMember(deps("nobody"), ann)).rejects.toThrow(NotStaffError);
    expect(await mails()).toEqual([]);
    const { rows } = await base.admin.query(`select 1 from auth."user" where email ilike 'ann@%'`);
    expect(rows).toEqual([]);
  });

  it("of somebody on the staff is refused, and leaves nothing behind", async () => {
    const known = { ...ann, email: "kim@berth.example" };
    await expect(inviteMember(deps("sam"), known)).rejects.toThrow(AccountExistsError);
    await deactivateMember(deps("sam"), "kim");
    await expect(inviteMember(deps("sam"), known)).rejects.toThrow(AccountExistsError);
    expect(await mails()).toEqual([]);
  });

  it("gives a stranger who signed up with the address first no way in", async () => {
    // A stranger makes an account for an address that is not theirs, and stays signed in.
    const { userId } = await signUp(
      auth,
      { email: "new@berth.example", name: "Not Ann", password: "the strangers password" },
      new Headers(),
    );
    const stranger = await browserOf(userId, "the strangers password");
    expect(await visitor(stranger)).toMatchObject({ userId, role: null });

    const invited = await inviteMember(deps("sam"), { ...ann, email: "new@berth.example" });
    expect(invited).toEqual({ userId, hasPassword: false });
    expect(await visitor(stranger)).toBeNull();
    await expect(browserOf(userId, "the strangers password")).rejects.toThrow();
    const { rows } = await base.admin.query(`select name from auth."user" where id = $1`, [userId]);
    expect(rows).toEqual([{ name: "Ann" }]);
    const [mail] = await mails();
    expect(mail).toMatchObject({
      recipient: "new@berth.example",
      data: { linkPurpose: "set-password" },
    });
  });

  it("leaves the password of an account whose address is proved, and mails no link to it", async () => {
    const { userId } = await asActor(base.db, { ...worker, kind: "api" }, (tx) =>
      ensureAccount(tx, { email: "proved@example.com", name: "Proved" }),
    );
    await setPassword(auth, userId, "my own old password", { addressProven: true });
    const browser = await browserOf(userId, "my own old password");
    await inviteMember(deps("sam"), { ...ann, email: "proved@example.com" });
    // What was opened as a customer does not become the desk's.
    expect(await visitor(browser)).toBeNull();
    const again = await browserOf(userId, "my own old password");
    expect(await visitor(again)).toMatchObject({ userId, role: "admin", name: "Proved" });
    expect((await mails())[0].data).toEqual({});
  });

  it("can be sent again until a password is chosen, each time with a link of its own", async () => {
    const { userId } = await inviteMember(deps("sam"), ann);
    await as("lou", (context) => resendInvitation(context, userId));
    const [first, second] = await mails();
    expect(second).toMatchObject({ kind: "invitation", recipient: "ann@berth.example" });
    expect(second.data.linkId).not.toBe(first.data.linkId);
    expect(await audited("staff.invite_again", userId)).toMatchObject({ actor_id: "lou" });
    await expect(as("kim", (context) => resendInvitation(context, userId))).rejects.toThrow(
      RoleMissingError,
    );
    await setPassword(auth, userId, "quiet lantern harbour");
    const again = () => as("lou", (context) => resendInvitation(context, userId));
    await expect(again()).rejects.toThrow(InvitationNotNeededError);
    await deactivateMember(deps("sam"), userId);
    await expect(again()).rejects.toThrow(InvitationNotNeededError);
    await expect(as("lou", (context) => resendInvitation(context, "nobody"))).rejects.toThrow(
      StaffNotFoundError,
    );
  });

  it("from the command line needs nobody on the staff yet", async () => {
    await base.admin.query("delete from admin_users");
    const { userId } = await admitMember(deps("npm run staff"), ann);
    expect(await rowOf(userId)).toMatchObject({ role: "admin" });
    expect(await mails()).toHaveLength(1);
  });
});

describe("a new role", () => {
  it("holds at once, and ends the sessions; a new capacity alone does not", async () => {
    await setPassword(auth, "kim", "harbour crane lantern");
    const browser = await browserOf("kim");
    const wish = { role: "admin" as const, capacity: 3 };
    expect(await change("lou", "kim", wish)).toEqual({ signedOut: false });
    expect(await visitor(browser)).toMatchObject({ role: "admin" });
    expect(await audited("staff.capacity", "kim")).toMatchObject({ data: { from: 10, to: 3 } });

    const changed = await change("sam", "kim", { ...wish, role: "operator" });
    expect(changed.signedOut).toBe(true);
    expect(await visitor(browser)).toBeNull();
    expect(await visitor(await browserOf("kim"))).toMatchObject({ role: "operator" });
    expect(await audited("staff.role", "kim")).toMatchObject({
      actor_id: "sam",
      origin: "10.0.0.1",
      data: { from: "admin", to: "operator" },
    });
  });

  it("is refused for oneself, for strangers, and by admins", async () => {
    const wish = { role: "admin" as const, capacity: 10 };
    await expect(change("lou", "lou", wish)).rejects.toThrow(OwnAccountError);
    await expect(change("lou", "x", wish)).rejects.toThrow(StaffNotFoundError);
    await expect(change("kim", "lou", wish)).rejects.toThrow(RoleMissingError);
    const own = { role: "operator" as const, capacity: 7 };
    await change("lou", "lou", own);
    expect(await rowOf("lou")).toMatchObject(own);
  });
});

describe("a page that was opened before somebody else’s change", () => {
  const before = { role: "admin" as const, capacity: 10 };

  it("undoes nothing of it, and ends no session", async () => {
    await change("lou", "kim", { ...before, role: "supervisor" });
    await setPassword(auth, "kim", "harbour crane lantern");
    const browser = await browserOf("kim");
    const stale = change("sam", "kim", { ...before, capacity: 9 }, before);
    await expect(stale).rejects.toThrow(MemberChangedError);
    expect(await rowOf("kim")).toMatchObject({ role: "supervisor", capacity: 10 });
    expect(await visitor(browser)).toMatchObject({ role: "supervisor" });
  });

  it("gives no right back that was taken away", async () => {
    await change("sam", "kim", { ...before, role: "supervisor" });
    const shown = { ...before, role: "supervisor" as const };
    await change("sam", "kim", before);
    const stale = change("lou", "kim", { ...shown, capacity: 4 }, shown);
    await expect(stale).rejects.toThrow(MemberChangedError);
    expect(await rowOf("kim")).toMatchObject(before);
    // Pressed again on the page as it is now, it is done.
    await change("lou", "kim", { ...before, capacity: 4 });
    expect(await rowOf("kim")).toMatchObject({ role: "admin", capacity: 4 });
  });

  it("has nothing to do where the other one did the same", async () => {
    const wish = { ...before, capacity: 3 };
    await change("lou", "kim", wish);
    expect(await change("sam", "kim", wish, before)).toEqual({ signedOut: false });
  });
});

describe("a deactivated person", () => {
  it("has no desk, no session and no claim from then on", async () => {
    await setPassword(auth, "kim", "harbour crane lantern");
    const browser = await browserOf("kim");
    const prepared = await newRequest();
    const failed = await newRequest();
    for (const id of [prepared, failed]) await as("kim", (context) => claimRequest(context, id));
    await base.admin.query(
      "update provisioning_queue set status = 'waiting_on_customer', version = version + 1 where id = $1",
      [failed],
    );
    expect(await deactivateMember(deps("lou"), "kim")).toEqual({
      name: "Kim",
      released: 1,
      kept: 1,
    });
    expect(await visitor(browser)).toBeNull();
    expect(await visitor(await browserOf("kim"))).toMatchObject({ role: null });
    await expect(as("kim", ({ tx }) => requireStaff(tx, "kim"))).rejects.toThrow(NotStaffError);
    const { rows } = await base.admin.query(
      "select status, assignee_id from provisioning_queue where id = $1",
      [prepared],
    );
    expect(rows).toEqual([{ status: "pending", assignee_id: null }]);
    const timeline = await base.admin.query(
      "select actor_id, data from request_events where request_id = $1 and kind = 'released'",
      [prepared],
    );
    expect(timeline.rows).toEqual([
      {
        actor_id: "lou",
        data: { assigneeId: "kim", note: expect.stringMatching(/left the desk/) },
      },
    ]);
    expect(await audited("staff.deactivate", "kim")).toMatchObject({ data: { released: 1 } });
  });

  it("is out even where ending the sessions fails, and it can be done again", async () => {
    await setPassword(auth, "kim", "harbour crane lantern");
    const browser = await browserOf("kim");
    await base.admin.query(`
      create function fail() returns trigger language plpgsql as $$ begin raise 'failed'; end $$;
      create trigger fail before delete on auth.session for each row execute function fail()`);
    await expect(deactivateMember(deps("lou"), "kim")).rejects.toThrow();
    expect(await visitor(browser)).toMatchObject({ role: null });
    await base.admin.query("drop trigger fail on auth.session; drop function fail()");
    await deactivateMember(deps("lou"), "kim");
    expect(await visitor(browser)).toBeNull();
  });

  it("is never oneself, and not for admins to make", async () => {
    await expect(deactivateMember(deps("lou"), "lou")).rejects.toThrow(OwnAccountError);
    await expect(deactivateMember(deps("sam"), "sam")).rejects.toThrow(OwnAccountError);
    await expect(deactivateMember(deps("kim"), "lou")).rejects.toThrow(RoleMissingError);
    await expect(deactivateMember(deps("lou"), "x")).rejects.toThrow(StaffNotFoundError);
    expect((await rowOf("lou")).deactivated_at).toBeNull();
  });

  it("comes back in the old role, off duty", async () => {
    await deactivateMember(deps("lou"), "kim");
    await expect(as("kim", (context) => reactivateMember(context, "kim"))).rejects.toThrow(
      NotStaffError,
    );
    await as("lou", (context) => reactivateMember(context, "kim"));
    expect(await rowOf("kim")).toMatchObject({
      role: "admin",
      deactivated_at: null,
      on_duty: false,
    });
    expect(await audited("staff.reactivate", "kim")).toMatchObject({ data: { role: "admin" } });
  });

  it("keeps nothing that they claimed at the same moment", async () => {
    for (let round = 0; round < 15; round += 1) {
      const requestId = await newRequest();
      const [claim, end] = await Promise.allSettled([
        as("kim", (context) => claimRequest(context, requestId)),
        deactivateMember(deps("lou"), "kim"),
      ]);
      expect(end.status).toBe("fulfilled");
      if (claim.status === "rejected") expect(claim.reason).toBeInstanceOf(NotStaffError);
      const { rows } = await base.admin.query(
        "select 1 from provisioning_queue where assignee_id = 'kim'",
      );
      expect(rows, `round ${round}: ${claim.status}`).toEqual([]);
      await as("lou", (context) => reactivateMember(context, "kim"));
    }
  });
});

describe("the last active supervisor", () => {
  it("stays one", async () => {
    const wish = { role: "admin" as const, capacity: 10 };
    await expect(deactivateMember(deps("lou"), "sam")).rejects.toThrow(LastSupervisorError);
    await expect(change("lou", "sam", wish)).rejects.toThrow(LastSupervisorError);
    await change("lou", "kim", { role: "supervisor", capacity: 10 });
    await deactivateMember(deps("lou"), "kim");
    await expect(deactivateMember(deps("lou"), "sam")).rejects.toThrow(LastSupervisorError);
    expect(await rowOf("sam")).toMatchObject({ role: "supervisor", deactivated_at: null });
  });

  it("stays one when two supervisors take each other away at once", async () => {
    for (let round = 0; round < 15; round += 1) {
      await base.admin.query(`
        update admin_users set deactivated_at = null,
          role = case when user_id = 'lou' then 'operator' else 'supervisor' end`);
      const wish = { role: "admin" as const, capacity: 10 };
      const attempts = await Promise.allSettled([
        deactivateMember(deps("kim"), "sam"),
        round % 2 ? deactivateMember(deps("sam"), "kim") : change("sam", "kim", wish),
        deactivateMember(deps("lou"), "sam"),
      ]);
      const { rows } = await base.admin.query(
        "select user_id from admin_users where role = 'supervisor' and deactivated_at is null",
      );
      expect(rows, JSON.stringify(attempts.map(({ status }) => status))).toHaveLength(1);
      for (const attempt of attempts) {
        if (attempt.status === "fulfilled") continue;
        const { code } = attempt.reason;
        expect(["last_supervisor", "not_staff", "role_missing"]).toContain(code);
      }
    }
  });
});

describe("the list of the staff", () => {
  it("says of each what they carry, when they last did something, and what state they are in", async () => {
    await setPassword(auth, "kim", "harbour crane lantern");
    const [one, two, done] = [await newRequest(), await newRequest(), await newRequest()];
    for (const id of [one, two, done]) await as("kim", (context) => claimRequest(context, id));
    await base.admin.query(
      "update provisioning_queue set status = 'cancelled', version = version + 1 where id = $1",
      [done],
    );
    await deactivateMember(deps("sam"), "lou");
    const list = await asActor(base.db, staff("kim"), listStaff);
    expect(list.map(({ name, state, load, onDuty }) => ({ name, state, load, onDuty }))).toEqual([
      { name: "Kim", state: "active", load: 2, onDuty: true },
      { name: "Sam", state: "invited", load: 0, onDuty: true },
      { name: "Lou", state: "deactivated", load: 0, onDuty: false },
    ]);
    const { rows } = await base.admin.query(
      "select at from audit_log where actor_id = 'kim' order by id desc limit 1",
    );
    expect(list[0]?.lastActAt).toBe(rows[0].at.toISOString());
    expect(JSON.stringify(list)).not.toMatch(/password/);
  });

  it("shows whether one is on duty, which everybody says for themselves", async () => {
    await as("kim", (context) => setOnDuty(context, false));
    await as("kim", (context) => setOnDuty(context, false));
    expect(await rowOf("kim")).toMatchObject({ on_duty: false });
    expect(await audited("staff.on_duty", "kim")).toMatchObject({ data: { onDuty: false } });
    await deactivateMember(deps("lou"), "kim");
    await expect(as("kim", (context) => setOnDuty(context, true))).rejects.toThrow(NotStaffError);
  });
});

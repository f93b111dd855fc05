import { randomBytes } from "node:crypto";
import type { Page } from "@playwright/test";
import { type Berth, expect, hydrated, open, signIn, test, unique } from "./support/test.ts";

const PASSWORD = "quiet lantern harbour 7351";
const newAddress = () => `staff-${randomBytes(5).toString("hex")}@berth.example`;

/** Invites somebody on the page, as a manager of the staff does. */
async function invite(page: Page, person: { name: string; email: string; role?: string }) {
  await page.goto("/desk/staff");
  await hydrated(page);
  await page.getByRole("link", { name: "Invite somebody" }).click();
  await page.getByLabel("Name").fill(person.name);
  await page.getByLabel("E-mail address").fill(person.email);
  await page.getByRole("radio", { name: person.role ?? "Admin" }).check();
  await page.getByLabel("Capacity").fill("4");
  await page.getByRole("button", { name: "Send the invitation" }).click();
  await expect(page.getByText("The invitation is on its way")).toBeVisible();
}

/** Chooses a password by the link of an invitation. */
async function choosePassword(page: Page, links: string[]) {
  await page.goto(links.find((url) => url.includes("/account/password")) ?? "");
  await page.getByLabel(/password/i).fill(PASSWORD);
  await page.getByRole("main").getByRole("button").click();
  await page.waitForURL(/\/account\/password\/done/);
}

const idOf = async ({ sql }: Berth, email: string) =>
  (await sql<{ id: string }>(`select id from auth."user" where email = $1`, [email]))[0]?.id;

test("invites somebody, who chooses a password by the mailed link and works", async ({
  as,
  stranger,
  mailTo,
  axe,
}) => {
  const { page } = await as("operator");
  const [name, email] = [unique("Staff"), newAddress()];
  await invite(page, { name, email });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await axe(page);
  await page.getByRole("link", { name: "Staff" }).first().click();
  const row = page.getByRole("row", { name });
  await expect(row).toContainText("Invited");
  await expect(row).toContainText("0 of 4");
  await axe(page);

  const mail = await mailTo(email, "You are on the staff");
  expect(mail.text).toContain(name);
  const somebody = await stranger();
  await choosePassword(somebody.page, mail.links);
  await signIn(somebody.page, email, PASSWORD);
  await expect(somebody.page).toHaveURL(/\/desk\/queue/);
  await page.reload();
  await expect(page.getByRole("row", { name })).toContainText("Active");
  // An admin works requests; the staff is not theirs to change.
  await somebody.page.goto("/desk/staff");
  await expect(somebody.page.getByRole("link", { name: "Invite somebody" })).toHaveCount(0);
  const refused = await somebody.page.goto("/desk/staff/invite");
  expect(refused?.status()).toBe(404);
});

test("says what is wrong with an invitation, field by field", async ({ as, axe, berth }) => {
  const { page } = await as("supervisor");
  await page.goto("/desk/staff/invite");
  await hydrated(page);
  await page.getByLabel("E-mail address").fill("not an address");
  await page.getByLabel("Capacity").fill("1000");
  await page.getByRole("button", { name: "Send the invitation" }).click();
  const summary = page.getByRole("alert");
  await expect(summary).toBeFocused();
  await expect(summary.getByRole("link")).toHaveText([
    "Fill this in.",
    "Write one e-mail address, such as name@example.com.",
    "Write at most 100.",
  ]);
  await axe(page);
  await page.getByLabel("Name").fill("Known");
  await page.getByLabel("Capacity").fill("5");
  const known = berth.info.accounts.find(({ role }) => role === "admin")?.email ?? "";
  await page.getByLabel("E-mail address").fill(known);
  await page.getByRole("button", { name: "Send the invitation" }).click();
  await expect(page.getByRole("alert")).toContainText("on the staff already");
  await expect(page.getByLabel("E-mail address")).toHaveValue(known);
});

test("a deactivated person is out of every browser at once, and their work is back in the queue", async ({
  as,
  stranger,
  mailTo,
  newCustomer,
  berth,
}) => {
  const { page } = await as("supervisor");
  const [name, email] = [unique("Staff"), newAddress()];
  await invite(page, { name, email });
  const somebody = await stranger();
  await choosePassword(somebody.page, (await mailTo(email, "You are on the staff")).links);
  await signIn(somebody.page, email, PASSWORD);
  const userId = await idOf(berth, email);
  const { requestId } = await newCustomer();
  await berth.sql(
    `update provisioning_queue set status = 'in_progress', assignee_id = $1, version = version + 1,
       lease_expires_at = now() + interval '1 hour' where id = $2`,
    [userId, requestId],
  );

  await page.goto(`/desk/staff/${userId}`);
  await hydrated(page);
  await page.getByRole("button", { name: `Deactivate ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate now" }).click();
  await expect(page.getByText("1 request went back to the queue")).toBeVisible();

  const after = await somebody.page.goto("/desk/staff");
  expect(after?.url()).toContain("/sign-in");
  await signIn(somebody.page, email, PASSWORD);
  const desk = await somebody.page.goto("/desk/queue");
  expect(desk?.status()).toBe(404);
  const [request] = await berth.sql(
    "select status, assignee_id from provisioning_queue where id = $1",
    [requestId],
  );
  expect(request).toEqual({ status: "pending", assignee_id: null });

  await page.getByRole("button", { name: `Reactivate ${name}` }).click();
  await expect(page.getByText(`${name} is back on the staff`)).toBeVisible();
  const back = await somebody.page.goto("/desk/staff");
  expect(back?.status()).toBe(200);
});

test("a new role signs the person out; nobody changes their own", async ({
  as,
  stranger,
  mailTo,
  berth,
}) => {
  const { page } = await as("operator");
  const [name, email] = [unique("Staff"), newAddress()];
  await invite(page, { name, email });
  const somebody = await stranger();
  await choosePassword(somebody.page, (await mailTo(email, "You are on the staff")).links);
  await signIn(somebody.page, email, PASSWORD);
  await page.goto(`/desk/staff/${await idOf(berth, email)}`);
  await hydrated(page);
  await page.getByRole("radio", { name: "Operator" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${name} is operator now`)).toBeVisible();
  expect((await somebody.page.goto("/desk/staff"))?.url()).toContain("/sign-in");

  const own = berth.info.accounts.find(({ role }) => role === "operator")?.email ?? "";
  await page.goto(`/desk/staff/${await idOf(berth, own)}`);
  await expect(page.getByRole("radio", { name: "Supervisor" })).toBeDisabled();
  await expect(page.getByRole("button", { name: /^Deactivate/ })).toHaveCount(0);
  // Nor does who leaves the page aside.
  const forced = await page.request.post(`/desk/staff/${await idOf(berth, own)}`, {
    form: { intent: "deactivate", confirmed: "1" },
    headers: { origin: berth.url },
  });
  expect(forced.status()).toBe(409);
  const cross = await page.request.post(`/desk/staff/${await idOf(berth, email)}`, {
    form: { intent: "deactivate" },
    headers: { origin: "https://evil.example" },
  });
  expect(cross.status()).toBe(403);
});

test("a page that is behind changes neither role nor capacity, and can be used again", async ({
  as,
  berth,
}) => {
  const [name, email] = [unique("Staff"), newAddress()];
  const { page: supervisor } = await as("supervisor");
  await invite(supervisor, { name, email });
  const path = `/desk/staff/${await idOf(berth, email)}`;
  const { page: stale } = await as("operator");
  for (const page of [supervisor, stale]) await open(page, path);
  await supervisor.getByRole("radio", { name: "Supervisor" }).check();
  await supervisor.getByRole("button", { name: "Save" }).click();
  await expect(supervisor.getByText(`${name} is supervisor now`)).toBeVisible();

  await stale.getByRole("spinbutton", { name: "Capacity" }).fill("9");
  await stale.getByRole("button", { name: "Save" }).click();
  await expect(stale.getByRole("alert")).toContainText("was changed while the page was open");
  await expect(stale.getByRole("alert")).toContainText("supervisor, with a capacity of 4");
  // The page is as things stand now; what was meant is done by doing it again.
  await expect(stale.getByRole("radio", { name: "Supervisor" })).toBeChecked();
  await stale.getByRole("spinbutton", { name: "Capacity" }).fill("9");
  await stale.getByRole("button", { name: "Save" }).click();
  await expect(stale.getByText("Done: Saved")).toBeVisible();
  const [row] = await berth.sql("select role, capacity from admin_users where user_id = $1", [
    await idOf(berth, email),
  ]);
  expect(row).toEqual({ role: "supervisor", capacity: 9 });
  await berth.sql("update admin_users set deactivated_at = now() where user_id = $1", [
    await idOf(berth, email),
  ]);
});

test("without scripts somebody is deactivated after a question alone", async ({ as, berth }) => {
  const [name, email] = [unique("Staff"), newAddress()];
  const { page: inviter } = await as("operator");
  await invite(inviter, { name, email });
  const { page, context } = await as("operator", { javaScriptEnabled: false });
  const path = `/desk/staff/${await idOf(berth, email)}`;
  await page.goto(`${path}?done=saved`);
  await expect(page.getByText("Done: Saved")).toBeVisible();
  const stale = await context.newPage();
  await stale.goto(path);
  await page.getByRole("button", { name: `Deactivate ${name}` }).click();
  await expect(page.getByRole("dialog")).toContainText("You can reactivate them later");
  // What was done before is no news beside the question.
  await expect(page.getByText("Done: Saved")).toHaveCount(0);
  await expect(page.getByText("Invited", { exact: true })).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate now" }).click();
  await expect(page.getByText(`${name} is deactivated`)).toBeVisible();
  await stale.getByRole("button", { name: `Deactivate ${name}` }).click();
  await expect(stale.getByText("This is no longer possible")).toBeInViewport();
});

test("everybody says for themselves whether they are on duty, from any page of the desk", async ({
  stranger,
  as,
  mailTo,
  berth,
}) => {
  const { page } = await as("operator");
  const [name, email] = [unique("Staff"), newAddress()];
  await invite(page, { name, email });
  const somebody = await stranger();
  await choosePassword(somebody.page, (await mailTo(email, "You are on the staff")).links);
  await signIn(somebody.page, email, PASSWORD);
  await somebody.page.goto("/desk/outbox?status=dead");
  await hydrated(somebody.page);
  await somebody.page.getByRole("button", { name: "Go off duty" }).click();
  await expect(somebody.page.getByRole("button", { name: "Go on duty" })).toBeVisible();
  expect(somebody.page.url()).toContain("/desk/outbox?status=dead");
  await page.goto("/desk/staff");
  await expect(page.getByRole("row", { name })).toContainText("Off duty");
  const away = await somebody.page.request.post("/desk/staff", {
    form: { intent: "on-duty", onDuty: "true", back: "//evil.example" },
    headers: { origin: berth.url },
    maxRedirects: 0,
  });
  expect(away.headers().location).toBe("/desk/staff");
});

/** Who comes in, where they are led to, and who is kept out. */
import type { Page } from "@playwright/test";
import { type Berth, expect, open, signIn, test, unique } from "./support/test.ts";

const REFUSED = "This address and password do not belong together.";

const accountOf = (berth: Berth, role: string) => {
  const account = berth.info.accounts.find((candidate) => candidate.role === role);
  if (!account) throw new Error(`No demo account of role ${role}.`);
  return account;
};

const nobody = () => `${unique("nobody").replace(" ", "-")}@example.com`;

async function fillIn(page: Page, email: string, password: string) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("a wrong password and an unknown address are told alike", async ({ page, berth, axe }) => {
  const { email } = accountOf(berth, "operator");
  await open(page, "/sign-in");
  await axe(page);
  for (const address of [email, nobody()]) {
    await fillIn(page, address, "not the password of anybody");
    await expect(page.getByRole("alert")).toContainText(REFUSED);
    await expect(page.getByLabel("E-mail address")).toHaveValue(address);
    await expect(page.getByLabel("Password")).toHaveValue("not the password of anybody");
    await open(page, "/sign-in");
  }
  await fillIn(page, "no address", "");
  const summary = page.getByRole("alert");
  await expect(summary).toBeFocused();
  await expect(summary.getByRole("link")).toHaveText([
    "Write one e-mail address, such as name@example.com.",
    "Enter your password.",
  ]);
  await summary.getByRole("link").first().click();
  await expect(page.getByLabel("E-mail address")).toBeFocused();
  // What is still wrong stays to be read.
  await expect(summary.getByRole("link")).toHaveCount(2);
  await axe(page);
});

test("who tries too often is told when to try again", async ({ page, berth }) => {
  // Where one of the limit's five minutes end in between, it is seen with another address.
  await expect(async () => {
    const email = nobody();
    for (let tries = 0; tries < 10; tries += 1) {
      const answer = await page.request.post("/sign-in", {
        form: { email, password: "wrong every time" },
        headers: { origin: berth.url },
      });
      expect(answer.status()).toBe(403);
    }
    await page.goto("/sign-in");
    await fillIn(page, email, "wrong every time");
    await expect(page.getByRole("alert")).toContainText(/You can try again in (\d+ min|[\d.]+ s)/);
  }).toPass({ timeout: 90_000 });
});

test("a signed-out visitor is led to sign-in and back; a signed-in one past it", async ({
  stranger,
  berth,
}) => {
  const { page } = await stranger();
  const { email, password } = accountOf(berth, "admin");
  await page.goto("/desk/queue?status=pending");
  await expect(page).toHaveURL(/\/sign-in\?back=/);
  await fillIn(page, email, password);
  await expect(page).toHaveURL(`${berth.url}/desk/queue?status=pending`);
  await page.goto("/sign-in");
  await expect(page).toHaveURL(/\/desk\//);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(`${berth.url}/`);
  await page.goto("/desk/queue");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("signs in and out without scripts", async ({ stranger, berth }) => {
  const { page } = await stranger({ javaScriptEnabled: false });
  const { email, password } = accountOf(berth, "admin");
  await page.goto("/desk/staff");
  await expect(page.getByText("Sign in to see this page")).toBeVisible();
  await fillIn(page, email, "wrong every time");
  await expect(page.getByRole("alert")).toContainText(REFUSED);
  await fillIn(page, email, password);
  await expect(page).toHaveURL(`${berth.url}/desk/staff`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in" }).first()).toBeVisible();
});

test("who was signed in, and is no more, is told so", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await berth.sql(
    `delete from auth.session where user_id = (select id from auth."user" where email = $1)`,
    [customer.email],
  );
  await page.goto("/requests");
  await expect(page.getByText("You were signed out, or your session ended")).toBeVisible();
});

for (const back of [
  "//evil.test/",
  "/\\evil.test/",
  "/a/..//evil.test",
  "javascript:alert(1)",
  "https://evil.test",
]) {
  test(`never leads to ${back}`, async ({ stranger, berth }) => {
    const { page } = await stranger();
    const { email, password } = accountOf(berth, "admin");
    await page.goto(`/sign-in?${new URLSearchParams({ back })}`);
    await fillIn(page, email, password);
    await expect(page).toHaveURL(`${berth.url}/desk/queue`);
  });
}

test("a customer is led to its requests, whatever it asked for on the desk", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const { page } = await asCustomer(await newCustomer());
  await expect(page).toHaveURL(/\/requests/);
  const refused = await page.goto("/desk/queue");
  expect(refused?.status()).toBe(404);
  await page.goto("/sign-in?back=%2Fdesk%2Fqueue");
  await expect(page).toHaveURL(new RegExp(`^${berth.url}/requests`));
});

test("who is deactivated loses the desk at the next request", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  const member = `(select id from auth."user" where email = $1)`;
  await berth.sql(`insert into admin_users (user_id, role) values (${member}, 'admin')`, [
    customer.email,
  ]);
  expect((await page.goto("/desk/queue"))?.status()).toBe(200);
  await berth.sql(
    `update admin_users set deactivated_at = now(), on_duty = false where user_id = ${member}`,
    [customer.email],
  );
  expect((await page.goto("/desk/queue"))?.status()).toBe(404);
  await page.goto("/requests");
  await expect(page.getByText("Your staff account is deactivated")).toBeVisible();
});

test("a forgotten password is replaced by a mailed link; who has an account is not told", async ({
  newCustomer,
  asCustomer,
  stranger,
  mailTo,
  axe,
}) => {
  const customer = await newCustomer();
  const before = await asCustomer(customer);
  const { page } = await stranger();
  await page.goto("/sign-in");
  await page.getByRole("link", { name: /forgot/ }).click();
  await axe(page);
  await page.getByLabel("E-mail address").fill("nobody");
  await page.getByRole("button", { name: "Mail me a link" }).click();
  await expect(page.getByRole("alert")).toContainText("Write one e-mail address");
  for (const address of [nobody(), customer.email]) {
    await page.goto("/forgot-password");
    await page.getByLabel("E-mail address").fill(address);
    await page.getByRole("button", { name: "Mail me a link" }).click();
    await expect(page.getByRole("status")).toHaveText(
      `If ${address} has an account, a mail with a link is on its way. The link works once, within 7 days.`,
    );
  }
  const { links } = await mailTo(customer.email, "Choose a new password");
  await page.goto(links.find((link) => link.includes("/account/password")) ?? "");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page.getByRole("alert")).toContainText("Use between 12 and 128 characters");
  await axe(page);
  await page.getByLabel("Password").fill("anchor winter copper 2210");
  await page.getByRole("button", { name: "Set the password" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your password is set");
  await signIn(page, customer.email, "anchor winter copper 2210");
  await before.page.goto("/requests");
  await expect(before.page).toHaveURL(/\/sign-in/);
});

test("more than three mails in an hour are not sent", async ({ page }) => {
  // Where an hour of the limit ends in between, it is seen with another address.
  await expect(async () => {
    const email = nobody();
    for (let asked = 0; asked < 4; asked += 1) {
      await page.goto("/forgot-password");
      await page.getByLabel("E-mail address").fill(email);
      await page.getByRole("button", { name: "Mail me a link" }).click();
      const answer = asked < 3 ? page.getByRole("status") : page.getByRole("alert");
      await expect(answer).toContainText(asked < 3 ? email : /You can ask again in/);
    }
  }).toPass({ timeout: 90_000 });
});

test("where somebody signed in from is what the connection says, not what the client claims", async ({
  berth,
  request,
}) => {
  const { email, password } = accountOf(berth, "operator");
  const answer = await request.post("/sign-in", {
    form: { email, password },
    headers: { origin: berth.url, "x-forwarded-for": "203.0.113.66" },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);
  const [newest] = await berth.sql(
    `select origin from audit_log where action = 'account.session.insert' order by id desc limit 1`,
  );
  expect(newest).toEqual({ origin: "127.0.0.1" });
});

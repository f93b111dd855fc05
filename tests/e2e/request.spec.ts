import { randomUUID } from "node:crypto";
import type { Page } from "@playwright/test";
import { deafen, expect, open, test, unique } from "./support/test.ts";

const pageOf = (requestId: string) => `/desk/requests/${requestId}`;
const next = (page: Page) =>
  page.getByRole("list", { name: "The work on this request" }).locator("[aria-current=step]");
/** Answers the question that a weighty act asks first. */
const confirm = (page: Page, label: string) =>
  page.getByRole("dialog").getByRole("button", { name: label }).click();

test("of two that claim, the second is told who has it and since when", async ({
  as,
  newCustomer,
}) => {
  const { requestId } = await newCustomer();
  const [{ page: winner }, { page: loser }] = [await as("admin"), await as("operator")];
  await deafen(loser);
  for (const page of [winner, loser]) await open(page, pageOf(requestId));
  await expect(loser.getByRole("button", { name: "Claim the request" })).toBeVisible();
  await winner.getByRole("button", { name: "Claim the request" }).click();
  await expect(next(winner)).toContainText("Create the project at Supabase");
  await loser.getByRole("button", { name: "Claim the request" }).click();
  const told = loser.getByRole("alert");
  await expect(told).toContainText("Demo Admin has claimed this request.");
  await expect(told.locator("time").first()).toBeVisible();
  await expect(told).toContainText("Claimed by Demo Admin");
  // And sees the request as it is now, with nothing to press that would be refused.
  await expect(next(loser)).toContainText("Demo Admin has this request");
  await expect(loser.locator("main .btn-primary")).toHaveCount(0);
  await expect(loser.getByRole("button", { name: "Cancel the request" })).toHaveCount(0);
});

test("after an act the open step has the focus, on its page and coming from the queue", async ({
  as,
  newCustomer,
}) => {
  const { requestId, company } = await newCustomer();
  const { page } = await as("admin");
  await open(page, `/desk/queue?q=${requestId}`);
  await page.getByRole("button", { name: `Claim ${company}` }).press("Enter");
  await expect(next(page).locator("[tabindex]").first()).toBeFocused();
  await page.getByRole("button", { name: "Give back" }).press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Give it back" }).press("Enter");
  await expect(next(page)).toContainText("Claim the request");
  await expect(next(page).locator("[tabindex]").first()).toBeFocused();
});

test("a stale tab is told what changed, does nothing, and can be used again", async ({
  as,
  newCustomer,
  berth,
}) => {
  const { requestId, company } = await newCustomer();
  const { page, context } = await as("admin");
  await open(page, pageOf(requestId));
  await page.getByRole("button", { name: "Claim the request" }).click();
  await expect(next(page)).toContainText("Create the project at Supabase");
  const stale = await context.newPage();
  await deafen(stale);
  await open(stale, pageOf(requestId));
  await page.getByRole("button", { name: "Give back" }).click();
  await confirm(page, "Give it back");
  await expect(next(page)).toContainText("Claim the request");

  await stale.getByRole("button", { name: "Cancel the request" }).click();
  await confirm(stale, "Cancel the request");
  const told = stale.getByRole("alert");
  await expect(told).toContainText("This request has changed since it was read. Nothing was done.");
  await expect(told).toContainText("Given back to the queue by Demo Admin");
  await expect(told.locator("time").first()).toBeVisible();
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(body.status).toBe("pending");
  await expect(next(stale)).toContainText("Claim the request");
  // On the way to another place of the page it stays to be read.
  const toTheContent = stale.getByRole("link", { name: "Skip to the content" });
  await toTheContent.press("Enter");
  await expect(stale).toHaveURL(/#main$/);
  await expect(told).toBeVisible();

  // It still makes sense to them: the second time it is done.
  await stale.getByRole("button", { name: "Cancel the request" }).click();
  await expect(stale.getByRole("dialog")).toContainText(company);
  await confirm(stale, "Cancel the request");
  await expect(stale.getByRole("alert")).toHaveCount(0);
  await expect(stale.locator("header").getByText("Cancelled")).toBeVisible();
  await toTheContent.press("Enter");
  await expect(stale).toHaveURL(/#main$/);
  await expect(stale.getByRole("alert")).toHaveCount(0);
});

test("what leaves the request where it was stops nobody", async ({ as, newCustomer, berth }) => {
  const { requestId } = await newCustomer();
  await berth.api("POST", `/api/queue/${requestId}/claim`);
  const [{ page }, { page: other }] = [await as("admin"), await as("supervisor")];
  await deafen(page);
  await open(page, pageOf(requestId));
  await open(other, pageOf(requestId));
  await other.getByLabel("Add a note").fill("Just saying.");
  await other.getByRole("button", { name: "Add the note" }).click();
  await expect(other.getByText("Just saying.")).toBeVisible();
  await other.getByLabel("Change the priority").selectOption({ label: "VIP" });
  await other.getByRole("button", { name: "Change", exact: true }).click();
  await expect(other.getByText("Priority changed from Normal to VIP")).toBeVisible();
  await page.getByRole("button", { name: "Give back" }).click();
  await confirm(page, "Give it back");
  await expect(next(page)).toContainText("Claim the request");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("the next act is the one primary button, in sight on 900 px, in every state", async ({
  as,
  newCustomer,
  axe,
}) => {
  const company = unique("Ørsted & Söhne");
  const { requestId } = await newCustomer({ company });
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  const primary = page.locator("main .btn-primary:visible");
  const isInSight = async () => {
    await expect(primary).toHaveCount(1);
    await expect(primary).toBeInViewport({ ratio: 1 });
    expect(await page.evaluate(() => scrollY)).toBe(0);
  };
  await isInSight();
  await axe(page);
  await primary.click();
  await expect(next(page)).toContainText("Create the project at Supabase");
  await isInSight();
  await expect(next(page)).toContainText("eu-central-1");
  await expect(next(page).getByRole("link", { name: /Supabase: new project/ })).toHaveAttribute(
    "href",
    /\/new\/_$/,
  );
  await expect(next(page)).toContainText(/rsted-sohne/);
  await axe(page);
  await primary.click();
  await expect(page).toHaveURL(/\/credentials$/);
});

test("a note stands on the timeline for the staff, and nowhere else", async ({
  as,
  asCustomer,
  newCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await as("operator");
  await open(page, pageOf(customer.requestId));
  const text = `Rang them ${unique("note")}.`;
  await page.getByLabel("Add a note").fill(`${text}\n<b>second line</b>`);
  await page.getByRole("button", { name: "Add the note" }).click();
  await expect(page.getByText(text)).toContainText("<b>second line</b>");
  await expect(page.getByLabel("Add a note")).toHaveValue("");
  const audit = await berth.sql("select data::text from audit_log where request_id = $1", [
    customer.requestId,
  ]);
  expect(JSON.stringify(audit)).not.toContain("Rang them");
  await page.getByRole("link", { name: "Everything in the audit record" }).click();
  await expect(page).toHaveURL(new RegExp(`request=${customer.requestId}`));
  await expect(page.getByLabel("Request’s id")).toHaveValue(customer.requestId);
  await expect(page.getByText("wrote a note")).toBeVisible();
  const { page: theirs } = await asCustomer(customer);
  await theirs.goto(`/requests/${customer.requestId}`);
  await expect(theirs.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await theirs.content()).not.toContain("Rang them");
});

test("the page changes by itself while another person works", async ({ as, newCustomer }) => {
  const { requestId } = await newCustomer();
  const [{ page: watcher }, { page: worker }] = [await as("operator"), await as("admin")];
  for (const page of [watcher, worker]) await open(page, pageOf(requestId));
  await expect(watcher.locator("[data-live=live]")).toBeVisible();
  await worker.getByRole("button", { name: "Claim the request" }).click();
  await expect(next(watcher)).toContainText("Demo Admin has this request");
});

test("without scripts a request is claimed, given back and cancelled, each after its question", async ({
  as,
  newCustomer,
  berth,
}) => {
  const { requestId } = await newCustomer();
  const status = async () => (await berth.api("GET", `/api/queue/${requestId}`)).body.status;
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(pageOf(requestId));
  await page.getByRole("button", { name: "Claim the request" }).click();
  await expect(next(page)).toContainText("Create the project at Supabase");
  await page.getByRole("button", { name: "Give back" }).click();
  await expect(page.getByRole("dialog")).toContainText("It returns to its old place");
  expect(await status()).toBe("in_progress");
  await confirm(page, "Give it back");
  await expect(next(page)).toContainText("Claim the request");
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByRole("dialog")).toContainText("This cannot be undone");
  await page.getByRole("link", { name: "Keep it" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await status()).toBe("pending");
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await confirm(page, "Cancel the request");
  await expect(page.locator("header").getByText("Cancelled")).toBeVisible();
});

test("without scripts a press on what is no longer offered is answered", async ({
  as,
  newCustomer,
  berth,
}) => {
  const { requestId } = await newCustomer();
  const { page } = await as("operator", { javaScriptEnabled: false });
  await page.goto(pageOf(requestId));
  await berth.api("POST", `/api/queue/${requestId}/claim`);
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByText("This is no longer possible")).toBeInViewport();
  await expect(next(page)).toContainText("Demo Admin has this request");
});

test("who cannot give a request back is not said to, and who has left is named as gone", async ({
  as,
  newCustomer,
  berth,
}) => {
  const { requestId, userId } = { ...(await newCustomer()), userId: `gone-${randomUUID()}` };
  await berth.sql(
    `insert into auth."user" (id, name, email, email_verified)
     values ($1, 'Demo Former', $1 || '@berth.example', true)`,
    [userId],
  );
  await berth.sql("insert into admin_users (user_id, role) values ($1, 'admin')", [userId]);
  const held = (status: string) =>
    berth.sql(
      `update provisioning_queue set status = $1, assignee_id = $2, version = version + 1
       where id = $3`,
      [status, userId, requestId],
    );
  await held("in_progress");
  const { page } = await as("operator");
  await open(page, pageOf(requestId));
  await expect(next(page)).toContainText("ask Demo Former to give it back");
  await held("waiting_on_customer");
  const both = [pageOf(requestId), `${pageOf(requestId)}/credentials`];
  for (const path of both) {
    await open(page, path);
    await expect(page.getByText("ask a supervisor to go on with it")).toBeVisible();
    await expect(page.getByText(/give (it|this one) back/)).toHaveCount(0);
  }
  await berth.sql("update admin_users set deactivated_at = now() where user_id = $1", [userId]);
  for (const path of both) {
    await open(page, path);
    await expect(page.getByText(/Demo Former is no longer on the staff/)).toBeVisible();
  }
  const { page: supervisor } = await as("supervisor");
  await open(supervisor, pageOf(requestId));
  await expect(supervisor.getByText(/and is no longer on the staff/)).toBeVisible();
  // From their page, the list of what they left behind goes by their name.
  await open(supervisor, `/desk/queue?assignee=${userId}`);
  await expect(
    supervisor.getByRole("link", { name: "Remove the filter Assignee: Demo Former" }),
  ).toBeVisible();
});

test("only a supervisor decides on the priority; what is not there is not found", async ({
  as,
  newCustomer,
}) => {
  const { requestId } = await newCustomer();
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expect(page.getByLabel("Change the priority")).toHaveCount(0);
  for (const id of ["019a0000-0000-7000-8000-000000000000", "nonsense", "%27"]) {
    expect((await page.goto(pageOf(id)))?.status(), id).toBe(404);
  }
});

/** Answers to what the features ask, corrected at the desk after the sign-up. */
import type { Page } from "@playwright/test";
import { credentialsOf, settled } from "../support/client.ts";
import { tabTo } from "./support/keyboard.ts";
import { setting } from "./support/sign-up.ts";
import { type Berth, type Customer, expect, open, test } from "./support/test.ts";

const pageOf = (requestId: string) => `/desk/requests/${requestId}`;
const settingsOf = (requestId: string) => `${pageOf(requestId)}/settings`;
const submit = (page: Page) => page.getByRole("button", { name: "Correct the settings" });
const summary = (page: Page) => page.getByRole("alert", { name: "There is a problem" });

async function claim(berth: Berth, { requestId }: Customer) {
  const claimed = await berth.api("POST", `/api/queue/${requestId}/claim`);
  expect(claimed.status).toBe(200);
}
const read = async (berth: Berth, requestId: string) =>
  (await berth.api("GET", `/api/queue/${requestId}`)).body;
const correct = async (berth: Berth, requestId: string, parameters: unknown) => {
  const { version } = await read(berth, requestId);
  const answer = await berth.api("POST", `/api/queue/${requestId}/settings`, {
    version,
    parameters,
  });
  expect(answer.status).toBe(200);
};

test("by keyboard: what is wrong is said at its field, then it is corrected, and the customer sees it", async ({
  as,
  asCustomer,
  newCustomer,
  berth,
  axe,
}) => {
  const customer = await newCustomer({ features: ["pos"] });
  const { requestId } = customer;
  await claim(berth, customer);
  const { page: theirs } = await asCustomer(customer);
  await open(theirs, `/requests/${requestId}`);

  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  const link = page.getByRole("link", { name: "Correct settings" });
  await tabTo(page, link);
  await link.press("Enter");
  await expect(page).toHaveURL(new RegExp(`${settingsOf(requestId)}$`));
  await expect(page.getByRole("heading", { name: "Correct settings", level: 1 })).toBeVisible();
  await expect(setting(page, "base.currency")).toHaveValue("EUR");
  await expect(page.getByText("step 1")).toHaveCount(0);
  await axe(page);

  await setting(page, "base.company_name").fill("   ");
  await setting(page, "pos.staff_refund_limit").fill("1.250,00");
  await setting(page, "base.currency").selectOption("CHF");
  await expect(page.getByText("CHF", { exact: true }).first()).toBeVisible();
  await submit(page).press("Enter");
  await expect(summary(page)).toBeFocused();
  await expect(summary(page).getByRole("link")).toHaveText([
    "Company name: Fill this in.",
    /^Refund limit for staff: Leave out the sign between thousands/,
  ]);
  await expect(setting(page, "pos.staff_refund_limit")).toHaveValue("1.250,00");
  await expect(setting(page, "base.currency")).toHaveValue("CHF");
  await axe(page);
  expect((await read(berth, requestId)).parameters.base.currency).toBe("EUR");

  await summary(page).getByRole("link").first().press("Enter");
  await expect(setting(page, "base.company_name")).toBeFocused();
  await setting(page, "base.company_name").fill("Harbour & <b>Sons</b>");
  await setting(page, "pos.staff_refund_limit").fill("1250,50");
  await submit(page).press("Enter");
  await expect(page).toHaveURL(new RegExp(`${pageOf(requestId)}$`));
  const timeline = page.getByRole("region", { name: "Timeline and notes" });
  await expect(timeline.getByText("Settings corrected", { exact: true })).toBeVisible();
  expect((await read(berth, requestId)).parameters).toMatchObject({
    base: { company_name: "Harbour & <b>Sons</b>", currency: "CHF" },
    pos: { staff_refund_limit: "1250.5" },
  });
  // Its page is told by itself, and reads the answers anew.
  await expect(theirs.getByText("Your settings were corrected by our team")).toBeVisible();
});

test("the same without scripts", async ({ as, newCustomer, berth }) => {
  const customer = await newCustomer({ features: [] });
  await claim(berth, customer);
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(pageOf(customer.requestId));
  await page.getByRole("link", { name: "Correct settings" }).click();
  await setting(page, "base.company_name").fill("");
  await setting(page, "base.locale").selectOption("fr");
  await submit(page).click();
  await expect(summary(page)).toContainText("Company name: Fill this in.");
  await expect(setting(page, "base.locale")).toHaveValue("fr");
  await setting(page, "base.company_name").fill("Harbour");
  await submit(page).click();
  await expect(page.getByText("Settings corrected", { exact: true })).toBeVisible();
  expect((await read(berth, customer.requestId)).parameters.base).toMatchObject({
    company_name: "Harbour",
    locale: "fr",
  });
});

test("on a phone it fits, and can be left as it is", async ({ as, newCustomer, berth, axe }) => {
  const customer = await newCustomer();
  await claim(berth, customer);
  const { page } = await as("admin", { viewport: { width: 390, height: 844 } });
  await open(page, settingsOf(customer.requestId));
  await expect(submit(page)).toBeVisible();
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
  ).toBeLessThanOrEqual(0);
  await axe(page);
  const { version } = await read(berth, customer.requestId);
  await page.getByRole("link", { name: "Leave them as they are" }).click();
  await expect(page).toHaveURL(new RegExp(`${pageOf(customer.requestId)}$`));
  expect((await read(berth, customer.requestId)).version).toBe(version);
});

test("a stale page is told what somebody else corrected, and overwrites nothing unseen", async ({
  as,
  newCustomer,
  berth,
}) => {
  const customer = await newCustomer({ features: [] });
  const { requestId } = customer;
  await claim(berth, customer);
  const { page } = await as("admin");
  await open(page, settingsOf(requestId));
  await setting(page, "base.locale").selectOption("fr");
  await correct(berth, requestId, { base: { currency: "JPY" } });
  await submit(page).click();
  await expect(page.getByText("This request has changed since it was read.")).toBeVisible();
  await expect(summary(page).getByRole("link")).toHaveText([
    "Currency: This was corrected meanwhile, to: Japanese Yen (JPY)",
  ]);
  await expect(setting(page, "base.locale")).toHaveValue("fr");
  expect((await read(berth, requestId)).parameters.base).toMatchObject({ currency: "JPY" });
  await setting(page, "base.currency").selectOption("JPY");
  await submit(page).click();
  await expect(page).toHaveURL(new RegExp(`${pageOf(requestId)}$`));
  expect((await read(berth, requestId)).parameters.base).toMatchObject({
    currency: "JPY",
    locale: "fr",
  });
});

test("who may not is told why, and is offered nothing", async ({ as, newCustomer, berth, axe }) => {
  const customer = await newCustomer();
  const { requestId } = customer;
  const { page: other } = await as("operator");
  await open(other, settingsOf(requestId));
  await expect(other.getByText("Nobody has claimed this request")).toBeVisible();
  await claim(berth, customer);
  await open(other, settingsOf(requestId));
  await expect(other.getByText("Demo Admin has this request")).toBeVisible();
  await expect(submit(other)).toHaveCount(0);
  await axe(other);
  await open(other, pageOf(requestId));
  await expect(other.getByRole("link", { name: "Correct settings" })).toHaveCount(0);
  // A form of one's own making gets no further.
  const answer = await other.context().request.post(`${berth.url}${settingsOf(requestId)}`, {
    form: { version: "2", eventId: "99999999", "base.currency": "USD" },
    headers: { origin: berth.url },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(409);
  const bare = await other.context().request.post(`${berth.url}${settingsOf(requestId)}`, {
    form: { "base.currency": "USD" },
    headers: { origin: berth.url },
  });
  expect(bare.status()).toBe(400);
  expect((await read(berth, requestId)).parameters.base.currency).toBe("EUR");
  const { page: theirs } = await as("admin");
  const nobody = settingsOf("019a0000-0000-7000-8000-000000000000");
  expect((await theirs.goto(nobody))?.status()).toBe(404);
});

test("from a run that was refused for an answer to a backend that has the right one", async ({
  as,
  newCustomer,
  newProject,
  berth,
  axe,
}) => {
  const customer = await newCustomer({ features: [] });
  const { requestId } = customer;
  await claim(berth, customer);
  // As if a later version of the feature had narrowed what it takes.
  await berth.sql(
    `update provisioning_queue set version = version + 1,
       parameters = jsonb_set(parameters, '{base,currency}', '"Silbergroschen"') where id = $1`,
    [requestId],
  );
  const project = await newProject();
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  await settled(berth.api, requestId, ["failed"]);

  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  const work = page.getByRole("list", { name: "The work on this request" });
  await expect(work).toContainText("press “Correct settings” on the request's page");
  await axe(page);
  await work.getByRole("link", { name: "Correct settings" }).click();
  await setting(page, "base.currency").selectOption("CHF");
  await submit(page).click();
  await expect(work).toContainText("The settings were corrected since.");
  await work.getByRole("button", { name: "Retry from where it stopped" }).click();
  await settled(berth.api, requestId, ["completed"]);
  await open(page, settingsOf(requestId));
  await expect(page.getByText("The settings are in the project already")).toBeVisible();
  await expect(submit(page)).toHaveCount(0);
});

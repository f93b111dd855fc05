import type { Page } from "@playwright/test";
import { expect, test } from "./support/test.ts";

/** The page is told of changes by its stream. */
const live = (page: Page) =>
  expect(page.locator("[data-live]")).toHaveText("Live", { timeout: 60_000 });
const heading = (page: Page) => page.getByRole("heading", { level: 1 });
const PREPARING = "We are preparing your backend.";

/** A page that is loaded anew loses this mark. */
const mark = (page: Page) => page.evaluate(() => document.body.setAttribute("data-mark", "here"));
const stillMarked = (page: Page) =>
  expect(page.locator("body")).toHaveAttribute("data-mark", "here");

/** From now on, every text that the page's heading has, however short. */
async function collectHeadings(page: Page): Promise<string[]> {
  const said: string[] = [];
  await page.exposeFunction("say", (text: string) => void said.push(text));
  await page.evaluate(() => {
    const { say } = globalThis as unknown as { say: (text: string) => void };
    const look = () => say(document.querySelector("h1")?.textContent ?? "");
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  return said;
}

test("the customer sees at once that staff have taken the request up", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  await expect(heading(page)).toHaveText(/^You are (next|\d+(st|nd|rd|th)) in line\.$/);
  await live(page);
  await mark(page);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await expect(heading(page)).toHaveText(PREPARING);
  await expect(page.getByText("One of us began to prepare your backend")).toBeVisible();
  await stillMarked(page);
  await berth.api("POST", `/api/queue/${customer.requestId}/release`);
  await expect(heading(page)).toHaveText(/in line/);
  await expect(page.getByText("It went back into the queue")).toBeVisible();
  await stillMarked(page);
});

test("who is taken up from far back is never told to be next, not for a moment", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  await newCustomer({ plan: "enterprise", priority: "vip" });
  const customer = await newCustomer({
    plan: "starter",
    features: [],
    priority: "low",
  });
  const { page } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  await live(page);
  const said = await collectHeadings(page);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await expect(heading(page)).toHaveText(PREPARING);
  await berth.api("POST", `/api/queue/${customer.requestId}/release`);
  await expect(heading(page)).toHaveText(/in line/);
  expect(said).toContain(PREPARING);
  for (const text of said) expect(text).toMatch(/^(We are preparing|You are \d+(st|nd|rd|th) in)/);
});

test("the place in line rises and falls without a reload", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  // Low, so that others that wait are ahead and those to come, too.
  const customer = await newCustomer({ plan: "starter", features: [], priority: "low" });
  const { page } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  await live(page);
  const ahead = async () => {
    const { body } = await berth.api("GET", `/api/queue/${customer.requestId}`);
    return body.position as number;
  };
  let urgent = customer;
  // Another test may take somebody ahead out of the queue at that moment: then one more comes.
  await expect(async () => {
    const before = await ahead();
    urgent = await newCustomer({ plan: "enterprise", priority: "vip" });
    expect(await ahead()).toBeGreaterThan(before);
  }).toPass({ timeout: 60_000 });
  const shown = async () => {
    const text = (await heading(page).textContent()) ?? "";
    return text === "You are next in line." ? 0 : Number(/\d+/.exec(text)?.[0]) - 1;
  };
  // Other tests work on the same queue: the page agrees with the queue as it is at the moment.
  const expectAgreement = () =>
    expect.poll(async () => (await shown()) - (await ahead()), { timeout: 60_000 }).toBe(0);
  await expectAgreement();
  expect(await shown()).toBeGreaterThan(0);
  await berth.api("POST", `/api/queue/${urgent.requestId}/claim`);
  await expectAgreement();
});

test("what happened while the connection was lost is caught up with", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page, context } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  await live(page);
  await mark(page);
  await context.setOffline(true);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await expect(page.locator("[data-live]")).not.toHaveText("Live", { timeout: 60_000 });
  await expect(heading(page)).toHaveText(/in line/);
  await context.setOffline(false);
  await expect(heading(page)).toHaveText(PREPARING, { timeout: 30_000 });
  await live(page);
  await stillMarked(page);
});

test("where streams are blocked the page looks from time to time, and gets the stream back", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await page.route("**/live/**", (route) => route.abort());
  await page.goto(`/requests/${customer.requestId}`);
  await expect(page.locator("[data-live]")).toHaveText("Checking every 10 s", { timeout: 30_000 });
  await mark(page);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await expect(heading(page)).toHaveText(PREPARING, { timeout: 30_000 });
  await stillMarked(page);
  await page.unroute("**/live/**");
  await live(page);
});

test("a browser that wrongly believes to be offline is told of changes, too", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "onLine", { get: () => false });
  });
  await page.goto(`/requests/${customer.requestId}`);
  await live(page);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await expect(heading(page)).toHaveText(PREPARING);
});

test("an ended session ends the stream, and the page asks to sign in", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  await live(page);
  await berth.sql(
    `delete from auth.session where user_id = (select id from auth."user" where email = $1)`,
    [customer.email],
  );
  await page.waitForURL(/\/sign-in\?back=/, { timeout: 60_000 });
});

test("another customer's page and stream are not there", async ({ newCustomer, asCustomer }) => {
  const [mine, theirs] = [await newCustomer(), await newCustomer()];
  const { page } = await asCustomer(mine);
  const answer = await page.goto(`/requests/${theirs.requestId}`);
  expect(answer?.status()).toBe(404);
  await expect(heading(page)).toHaveText("There is nothing at this address");
  await expect(page.getByText(theirs.company)).toHaveCount(0);
  for (const path of [
    `/live/requests/${theirs.requestId}`,
    "/live/requests/00000000-0000-7000-8000-000000000000",
    "/live/requests/none",
    "/live/queue",
  ]) {
    expect((await page.request.get(path)).status(), path).toBe(404);
  }
});

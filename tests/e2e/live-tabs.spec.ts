import type { Page } from "@playwright/test";
import { expect, test } from "./support/test.ts";

/** By HTTP/1.1 a browser has six connections to Berth: a stream of each page would take them all. */

const PREPARING = "We are preparing your backend.";
const heading = (page: Page) => page.getByRole("heading", { level: 1 });
const stateOf = (page: Page) => page.locator("[data-live]").getAttribute("data-live");

/** Of these pages, those that are in this state. */
async function pagesIn(pages: Page[], state: "live" | "polling"): Promise<Page[]> {
  const states = await Promise.all(pages.map(stateOf));
  return pages.filter((_, index) => states[index] === state);
}

/** Waits until so many of these pages are told at once, and the rest looks from time to time. */
const shares = (pages: Page[], live: number) =>
  expect
    .poll(
      async () => [(await pagesIn(pages, "live")).length, (await pagesIn(pages, "polling")).length],
      { timeout: 30_000 },
    )
    .toEqual([live, pages.length - live]);

/** Headless browsers show all their pages: this one is told that it is behind another, or in front. */
const turn = (page: Page, visibility: "hidden" | "visible") =>
  page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
  }, visibility);

test("eight pages of one browser answer and are current, and a closed one makes room", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page: first, context } = await asCustomer(customer);
  const pages = [first];
  while (pages.length < 8) pages.push(await context.newPage());
  for (const page of pages) await page.goto(`/requests/${customer.requestId}`);
  await shares(pages, 4);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  for (const page of pages) await expect(heading(page)).toHaveText(PREPARING, { timeout: 30_000 });
  for (const page of await pagesIn(pages, "live")) await page.close();
  const open = pages.filter((page) => !page.isClosed());
  expect(open.length).toBeLessThan(8);
  await shares(open, 4);
  await berth.api("POST", `/api/queue/${customer.requestId}/release`);
  for (const page of open) await expect(heading(page)).toHaveText(/in line/, { timeout: 30_000 });
});

test("a page behind others leaves its stream to them, and catches up when it comes in front", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page: first, context } = await asCustomer(customer);
  const pages = [first];
  while (pages.length < 5) pages.push(await context.newPage());
  for (const page of pages) await page.goto(`/requests/${customer.requestId}`);
  await shares(pages, 4);
  const [hidden] = await pagesIn(pages, "live");
  if (!hidden) throw new Error("No page is live.");
  await turn(hidden, "hidden");
  const others = pages.filter((page) => page !== hidden);
  await shares(others, 4);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  for (const page of others) await expect(heading(page)).toHaveText(PREPARING);
  await expect(heading(hidden)).toHaveText(/in line/);
  await turn(hidden, "visible");
  await expect(heading(hidden)).toHaveText(PREPARING);
});

test("a page opened behind others asks for no stream before it comes in front", async ({
  newCustomer,
  asCustomer,
}) => {
  const customer = await newCustomer();
  const { context } = await asCustomer(customer);
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.addInitScript(() => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
  });
  await page.goto(`/requests/${customer.requestId}`, { waitUntil: "networkidle" });
  expect(asked.filter((path) => path.startsWith("/live/"))).toEqual([]);
  await turn(page, "visible");
  await expect(page.locator("[data-live]")).toHaveText("Live");
});

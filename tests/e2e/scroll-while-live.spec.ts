/** A live page that reads itself anew stays where its reader has scrolled it. */
import type { Page } from "@playwright/test";
import { claimedRequest, credentialsOf } from "../support/client.ts";
import { holdUp } from "./support/lock.ts";
import { expect, open, test } from "./support/test.ts";

const SMALL = { viewport: { width: 900, height: 420 } };

const scrolled = (page: Page) => page.evaluate(() => Math.round(scrollY));
const live = (page: Page) => expect(page.locator("[data-live]")).toHaveText("Live");
/** Moments in which what was on its way to the page's place would have come. */
const settled = (page: Page) => page.waitForTimeout(500);

/**
 * Where the page's own code scrolls it, from now on. What the browser does to keep in sight what is
 * being read, when something above it folds, is none of that.
 */
async function watchPlaces(page: Page): Promise<() => Promise<number[]>> {
  await page.evaluate(() => {
    const places: number[] = [];
    const scroll = window.scrollTo.bind(window) as (x: number, y: number) => void;
    const scrollTo = (x: number, y: number) => {
      places.push(y);
      scroll(x, y);
    };
    Object.assign(window, { places, scrollTo });
  });
  return () => page.evaluate(() => (window as unknown as { places: number[] }).places);
}

/** Holds back each answer by which the page reads itself anew, until let go. */
async function holdReading(page: Page) {
  let letGo = () => {};
  let begun = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const isReading = new Promise<void>((resolve) => {
    begun = resolve;
  });
  await page.route(/[?&]_data=|\.data(\?|$)/, async (route) => {
    begun();
    await gate;
    await route.continue();
  });
  return { isReading, letGo };
}

test("a request's page stays where it was scrolled while it was being read", async ({
  as,
  berth,
}) => {
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const { page } = await as("admin", SMALL);
  await open(page, `/desk/requests/${requestId}`);
  await live(page);
  await settled(page);
  const places = await watchPlaces(page);
  const { isReading, letGo } = await holdReading(page);
  expect((await berth.api("POST", `/api/queue/${requestId}/release`)).status).toBe(200);
  await isReading;
  await page.mouse.move(450, 300);
  await page.mouse.wheel(0, 240);
  await expect.poll(() => scrolled(page)).toBe(240);
  letGo();
  await expect(page.getByRole("button", { name: "Claim the request" })).toBeAttached();
  await settled(page);
  expect(await places()).toEqual([]);
  expect(await scrolled(page)).toBeGreaterThan(0);
});

test("a run's page stays where it is scrolled while its steps go on", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory", "pos"] });
  const letRun = await holdUp(project);
  const submit = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", submit, credentialsOf(project))).status).toBe(200);
  const { page } = await as("admin", SMALL);
  await open(page, `/desk/requests/${requestId}/run`);
  await live(page);
  await expect(page.locator('[data-step="running"]')).toBeVisible();
  const places = await watchPlaces(page);
  await letRun();
  const summary = page.getByRole("region", { name: "Summary" });
  const done = summary.getByText("Done", { exact: true });
  await page.mouse.move(450, 300);
  while (!(await done.isVisible())) {
    await page.mouse.wheel(0, 20);
    await page.waitForTimeout(50);
  }
  await settled(page);
  expect(await places()).toEqual([]);
  expect(await scrolled(page)).toBeGreaterThan(0);
});

test("a link leads to a page's top, the way back and a reload to where it was", async ({
  as,
  berth,
}) => {
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const { page } = await as("admin", SMALL);
  await open(page, `/desk/requests/${requestId}`);
  await live(page);
  const link = page.getByRole("link", { name: "Everything in the audit record" });
  await link.scrollIntoViewIfNeeded();
  const place = await scrolled(page);
  expect(place).toBeGreaterThan(0);
  await page.reload();
  await live(page);
  await settled(page);
  expect(await scrolled(page)).toBe(place);
  await link.click();
  await expect(page).toHaveURL(/\/desk\/audit/);
  await expect.poll(() => scrolled(page)).toBe(0);
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`/desk/requests/${requestId}$`));
  await expect.poll(() => scrolled(page)).toBe(place);
  await live(page);
  await settled(page);
  expect(await scrolled(page)).toBe(place);
});

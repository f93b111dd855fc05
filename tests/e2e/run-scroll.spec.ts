/** Where a page stands when an act led to it: at its top, whatever is read again meanwhile. */
import { claimedRequest, credentialsOf } from "../support/client.ts";
import { expect, open, test } from "./support/test.ts";

test("the run's page opens at its top, and stays there while it is read again", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory", "pos"] });
  const { page } = await as("admin");
  // Whatever scrolls the run's page is written down, also where it is scrolled back later.
  await page.addInitScript(() => {
    const seen: number[] = [];
    Object.assign(window, { seen });
    const scroll = window.scrollTo.bind(window) as (x: number, y: number) => void;
    window.scrollTo = ((x: number, y: number) => {
      if (location.pathname.endsWith("/run")) seen.push(y);
      scroll(x, y);
    }) as typeof window.scrollTo;
  });
  await open(page, `/desk/requests/${requestId}/credentials`);
  for (const [name, value] of Object.entries(credentialsOf(project))) {
    await page.locator(`#${name}`).fill(value);
  }
  await page.getByRole("button", { name: "Test", exact: true }).click();
  const start = page.getByRole("button", { name: "Start the run" });
  await expect(page.getByRole("heading", { name: "The plan" })).toBeFocused({ timeout: 60_000 });
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(0);
  await start.click();
  await page.waitForURL(`**/desk/requests/${requestId}/run`);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toBeFocused();
  const summary = page.getByRole("region", { name: "Summary" });
  await expect(summary.getByText("Done", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(heading).toBeInViewport();
  const tops = await page.evaluate(() => (window as unknown as { seen: number[] }).seen);
  expect(tops.length).toBeGreaterThan(0);
  expect(new Set(tops)).toEqual(new Set([0]));
});

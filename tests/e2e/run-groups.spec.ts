/** The rows of a run: one for the files of a feature, open where a person must look. */
import { claimedRequest, credentialsOf, settled } from "../support/client.ts";
import { inProject } from "./support/life.ts";
import { holdUp } from "./support/lock.ts";
import { expect, open, test } from "./support/test.ts";

const PHONE = { width: 390, height: 844 };
const pageOf = (requestId: string) => `/desk/requests/${requestId}/run`;

test("features are a row each: folded when done, and opened by key, by link, and without scripts", async ({
  as,
  berth,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory", "pos"] });
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  const { body } = await settled(berth.api, requestId).then(() =>
    berth.api("GET", `/api/queue/${requestId}`),
  );
  expect(body.status).toBe("completed");
  const names: string[] = body.run.steps.map(({ name }: { name: string }) => name);
  const first = names.findIndex((name) => name.startsWith("Inventory: "));
  const { page } = await as("admin", { viewport: PHONE });
  await open(page, pageOf(requestId));
  const groups = page.locator("[data-group]");
  await expect(groups.first()).toHaveAttribute("data-group", "done");
  await expect(page.locator("[data-group] details[open]")).toHaveCount(0);
  // Single steps are rows of their own.
  await expect(page.locator("[data-step]", { hasText: "Owner account" })).toBeVisible();
  await expect(page.getByText("Bucket files: private, up to 20 MiB")).toBeVisible();
  const step = page.locator(`#step-${first + 1}`);
  await expect(step).toBeHidden();
  const row = groups.filter({ hasText: /^Inventory · \d+ files/ }).first();
  await expect(row).toContainText(/\d+ statements applied/);
  await row.locator("summary").first().press("Enter");
  await expect(step).toBeVisible();
  await expect(step).toContainText("Products");
  await expect(step).not.toContainText("Inventory");
  await axe(page);
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await expect.poll(over).toBeLessThanOrEqual(0);

  const { page: still } = await as("admin", { javaScriptEnabled: false });
  await still.goto(pageOf(requestId));
  await expect(still.locator(`#step-${first + 1}`)).toBeHidden();
  await still.goto(`${pageOf(requestId)}#step-${first + 1}`);
  await expect(still.locator(`#step-${first + 1}`)).toBeVisible();
});

test("what runs or failed is open by itself; what a person opened stays so", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const letGo = await holdUp(project);
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  const group = (title: string) =>
    page.locator("[data-group]", { hasText: new RegExp(`^${title} · \\d+ files`) }).first();
  await expect(group("Company and people")).toHaveAttribute("data-group", "running", {
    timeout: 60_000,
  });
  await expect(page.locator('[data-step="running"]')).toBeVisible();
  const files = group("Inventory").getByRole("list", { name: "Files of Inventory", exact: true });
  await expect(files).toBeHidden();
  await group("Inventory").locator("summary").first().click();
  await expect(files).toBeVisible();
  await letGo();
  const summary = page.getByRole("region", { name: "Summary" });
  await expect(summary.getByText("Done", { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(files).toBeVisible();
  await expect(group("Company and people").locator("details").first()).not.toHaveAttribute("open");

  const second = await newProject();
  const other = await claimedRequest(berth.api, { features: ["inventory"] });
  await inProject(second, "create schema private");
  const submit = `/api/queue/${other}/credentials`;
  expect((await berth.api("POST", submit, credentialsOf(second))).status).toBe(200);
  expect((await settled(berth.api, other)).status).toBe("failed");
  await open(page, pageOf(other));
  await expect(group("Company and people")).toHaveAttribute("data-group", "failed");
  await expect(page.locator('[data-step="failed"]').getByText("What to do")).toBeVisible();
  await page.getByRole("link", { name: /See what happened/ }).click();
  await expect(page.locator('[data-step="failed"]')).toBeInViewport();
});

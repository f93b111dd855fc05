/** A run in a person's hands: seen before it starts, rehearsed, cancelled, resumed, and let go on. */
import type { Page } from "@playwright/test";
import { claimedRequest, credentialsOf, type SandboxProject, settled } from "../support/client.ts";
import { tabTo } from "./support/keyboard.ts";
import { inProject } from "./support/life.ts";
import { holdUp } from "./support/lock.ts";
import { type Berth, expect, open, test } from "./support/test.ts";

const PHONE = { width: 390, height: 844 };
const pageOf = (requestId: string) => `/desk/requests/${requestId}/run`;
const badge = (page: Page, word: string) =>
  page.getByRole("region", { name: "Summary" }).getByText(word, { exact: true });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const answer = (page: Page, name: string) =>
  page.getByRole("dialog").getByRole("button", { name, exact: true });

async function paste(page: Page, project: SandboxProject): Promise<void> {
  for (const [name, value] of Object.entries(credentialsOf(project))) {
    await page.locator(`#${name}`).fill(value);
  }
}

async function submit(berth: Berth, requestId: string, project: SandboxProject): Promise<void> {
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
}

/** Nothing on the page is wider than the window. */
async function expectFitting(page: Page): Promise<void> {
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await expect.poll(over).toBeLessThanOrEqual(0);
}

/** A request whose run waits behind another session, and what ends that session. */
async function heldUpRequest(berth: Berth, project: SandboxProject) {
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const letGo = await holdUp(project);
  await submit(berth, requestId, project);
  return { requestId, letGo };
}

for (const { on, viewport } of [
  { on: "at a desk", viewport: { width: 1440, height: 900 } },
  { on: "on a phone", viewport: PHONE },
]) {
  test(`the plan is seen and rehearsed, and exactly this plan is started, ${on}`, async ({
    as,
    berth,
    newProject,
    axe,
  }) => {
    const project = await newProject();
    const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
    const { page } = await as("admin", { viewport });
    await open(page, `/desk/requests/${requestId}/credentials`);
    await paste(page, project);
    await button(page, "Test").click();
    await expect(page.getByRole("heading", { name: "The plan" })).toBeFocused({ timeout: 60_000 });
    await expect(
      page.getByText(
        /^\d+ steps, \d+ files, \d+ statements on a fresh PostgreSQL [\d.]+; nothing is applied yet\.$/,
      ),
    ).toBeVisible();
    const steps = page.getByRole("region", { name: "The steps of the run" });
    await expect(steps.locator("li").first()).toContainText("Preflight");
    // Supabase's own table of users is there already, and is referred to: so its group is open.
    const files = page.getByRole("region", { name: "Files of Company and people", exact: true });
    await expect(files.locator("tbody tr").first()).toContainText(
      /Company and people.*2026\d{10}.*SHARE ROW EXCLUSIVE on auth\.users/,
    );
    await expect(files.getByText("none on what exists").first()).toBeVisible();
    // What locks nothing is one row, until it is opened.
    const inventory = steps.locator("summary", { hasText: /^Inventory · \d+ files/ });
    await expect(inventory).toContainText("no");
    const its = page.getByRole("region", { name: "Files of Inventory", exact: true });
    await expect(its).toBeHidden();
    await inventory.press("Enter");
    await expect(its.getByText("none on what exists").first()).toBeVisible();
    await expect(steps).toContainText("Bucket files: private, up to 20 MiB");
    await expect(steps).toContainText("Auth configuration: sign-up closed");
    await expectFitting(page);
    await axe(page);
    const { body } = await berth.api("GET", `/api/queue/${requestId}`);
    expect(body).toMatchObject({ status: "in_progress", run: null });

    await button(page, "Rehearse").click();
    await expect(page.getByText(/nothing was kept/i)).toBeVisible({ timeout: 60_000 });
    const groups = page.locator("[data-rehearsed-group]");
    await expect(groups.filter({ hasText: /^Inventory · \d+ files/ }).first()).toContainText(
      /\d+ rehearsed, \d+ not rehearsable/,
    );
    await expect(page.locator('[data-rehearsed="rehearsed"]').first()).toBeHidden();
    await expect(page.locator('[data-rehearsed="failed"]')).toHaveCount(0);
    await groups.filter({ hasText: "not rehearsable" }).first().locator("summary").click();
    await expect(page.locator('[data-rehearsed="not_rehearsed"]').first()).toBeVisible();
    await expectFitting(page);
    await axe(page);

    // What a person has not seen is not started; the new plan is shown, and what was pasted stays.
    await page
      .locator("input[name=planDigest]")
      .evaluate((input: HTMLInputElement) => (input.value = "0".repeat(64)));
    await button(page, "Start the run").click();
    await expect(page.getByRole("alert")).toContainText(/plan/, { timeout: 60_000 });
    await expect(page.locator("#url")).toHaveValue(project.url);
    await expect(page.getByText("All 15 lines hold.", { exact: true })).toBeVisible();
    await button(page, "Start the run").click();
    await page.waitForURL(`**${pageOf(requestId)}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
  });
}

test("a rehearsal says which step would fail, where and why, and keeps nothing", async ({
  as,
  berth,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  await inProject(project, "create schema private");
  const { page } = await as("admin", { viewport: PHONE });
  await open(page, `/desk/requests/${requestId}/credentials`);
  await paste(page, project);
  await button(page, "Test").click();
  await expect(page.getByRole("heading", { name: "The plan" })).toBeFocused({ timeout: 60_000 });
  await button(page, "Rehearse").click();
  const failed = page.locator('[data-rehearsed="failed"]');
  await expect(failed.getByText("What to do")).toBeVisible({ timeout: 60_000 });
  await expect(failed).toContainText(/base\/\S+\.sql:\d+/);
  await expectFitting(page);
  await axe(page);
});

test("a run that waits is cancelled by keyboard, and resumed to its end", async ({
  as,
  berth,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const { requestId, letGo } = await heldUpRequest(berth, project);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expect(page.locator('[data-step="running"]')).toContainText("Company and people", {
    timeout: 60_000,
  });
  await axe(page);
  await tabTo(page, button(page, "Cancel the run"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toContainText("that is in progress is rolled back");
  await tabTo(page, answer(page, "Cancel the run"));
  await page.keyboard.press("Enter");
  await expect(badge(page, "Cancelled")).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/Demo Admin cancelled this run: 1 of its \d+ steps/)).toBeVisible();
  await expect(button(page, "Cancel the run")).toHaveCount(0);
  await expect(page.getByText("was in progress and was rolled back")).toBeVisible();
  await expect(page.getByRole("heading", { name: /in the project/ })).toBeVisible();
  await axe(page);

  await letGo();
  await tabTo(page, button(page, "Resume"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Run 2 of 2");
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
  await page.goto(`/desk/requests/${requestId}`);
  await expect(page.getByText(/^Run cancelled at .* by Demo Admin$/)).toBeVisible();
});

test("without scripts a run is cancelled and the request closed, with the list of what stays", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const { requestId, letGo } = await heldUpRequest(berth, project);
  const { page } = await as("admin", { javaScriptEnabled: false, viewport: PHONE });
  await page.goto(pageOf(requestId));
  await button(page, "Cancel the run").click();
  await expect(page.getByRole("dialog")).toContainText("that is in progress is rolled back");
  await answer(page, "Cancel the run").click();
  expect((await settled(berth.api, requestId)).failure.code).toBe("run_cancelled");
  await letGo();
  await page.goto(pageOf(requestId));
  await expect(badge(page, "Cancelled")).toBeVisible();
  await expectFitting(page);
  await button(page, "Close the request").click();
  await expect(page.getByRole("dialog")).toContainText("stays in the project");
  await answer(page, "Close the request").click();
  expect((await settled(berth.api, requestId, ["cancelled"])).status).toBe("cancelled");
  await expect(page.getByRole("heading", { name: "What stays in the project" })).toBeVisible();
  await expect(button(page, "Resume")).toHaveCount(0);
});

test("whoever does not hold the request cannot cancel its run", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const { requestId, letGo } = await heldUpRequest(berth, project);
  const { page } = await as("operator");
  await open(page, pageOf(requestId));
  await expect(page.locator('[data-step="running"]')).toBeVisible({ timeout: 60_000 });
  await expect(button(page, "Cancel the run")).toHaveCount(0);
  const { status } = await page.request
    .post(pageOf(requestId), {
      form: { intent: "cancel-run", confirmed: "1", version: "99", eventId: "999999999" },
      headers: { origin: berth.url },
    })
    .then((sent) => ({ status: sent.status() }));
  expect(status).toBe(409);
  await letGo();
  expect((await settled(berth.api, requestId)).status).toBe("completed");
});

test("a database that was changed by hand stops the run until a supervisor accepts it", async ({
  as,
  berth,
  sandbox,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const route = "PATCH /v1/projects/:ref/config/auth";
  await sandbox.addFault({ kind: "error", ref: project.ref, route, status: 404 });
  await submit(berth, requestId, project);
  await settled(berth.api, requestId);
  await sandbox.dropFaults(project.ref);
  await inProject(project, "create table public.left_by_hand (id int primary key)");

  const { page } = await as("admin", { viewport: PHONE });
  await open(page, pageOf(requestId));
  await button(page, "Retry").click();
  await expect(badge(page, "Failed")).toBeVisible({ timeout: 60_000 });
  const failed = page.locator('[data-step="failed"]');
  await expect(failed.getByRole("region", { name: /difference/ })).toContainText("left_by_hand");
  await expect(failed).toContainText("Only a supervisor may accept it.");
  await expect(button(page, "Accept this difference")).toHaveCount(0);
  await expectFitting(page);
  await axe(page);

  const { page: supervisor } = await as("supervisor");
  await open(supervisor, pageOf(requestId));
  const reason = supervisor.getByLabel("Why it may stay");
  await reason.fill("The customer’s own import table; it goes in December.");
  await axe(supervisor);
  await button(supervisor, "Accept this difference").click();
  await expect(supervisor.getByText(/accepted by Demo Supervisor/i)).toBeVisible();
  await expect(button(supervisor, "Accept this difference")).toHaveCount(0);
  await expect(page.getByText("it goes in December")).toBeVisible();
  await button(page, "Retry").click();
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
});

/** What a retry would do: looked at beside it, and then exactly this, or nothing, is started. */
import type { Page } from "@playwright/test";
import { claimedRequest, credentialsOf, type SandboxProject, settled } from "../support/client.ts";
import { tabTo } from "./support/keyboard.ts";
import { inProject } from "./support/life.ts";
import { type Berth, deafen, expect, open, test } from "./support/test.ts";

const PHONE = { width: 390, height: 844 };
const pageOf = (requestId: string) => `/desk/requests/${requestId}`;
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const retry = (page: Page) => button(page, "Retry from where it stopped");
const heading = (page: Page) => page.getByRole("heading", { name: "The plan" });

/** Nothing on the page is wider than the window. */
async function expectFitting(page: Page): Promise<void> {
  const over = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await expect.poll(over).toBeLessThanOrEqual(0);
}

async function build(berth: Berth, project: SandboxProject): Promise<string> {
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  expect((await settled(berth.api, requestId)).status).toBe("failed");
  return requestId;
}

/** A request whose run has failed at its first file: what it wants to make is there already. */
async function failedRequest(berth: Berth, project: SandboxProject): Promise<string> {
  await inProject(project, "create schema private");
  return build(berth, project);
}

const runsOf = (berth: Berth, requestId: string) =>
  berth.sql("select basis from provisioning_runs where request_id = $1 order by id", [requestId]);

for (const { on, viewport } of [
  { on: "at a desk", viewport: { width: 1440, height: 900 } },
  { on: "on a phone", viewport: PHONE },
]) {
  test(`a retry starts the plan that was shown, or shows the new one, ${on}`, async ({
    as,
    berth,
    newProject,
    axe,
  }) => {
    const project = await newProject();
    const requestId = await failedRequest(berth, project);
    const { page } = await as("admin", { viewport });
    await open(page, pageOf(requestId));
    await tabTo(page, button(page, "Show the plan"));
    await page.keyboard.press("Enter");
    await expect(heading(page)).toBeFocused({ timeout: 60_000 });
    const steps = page.getByRole("region", { name: "The steps of the run" });
    await expect(steps.locator("li").first()).toContainText("Preflight");
    await expect(page.getByText(/; nothing is applied yet\.$/)).toBeVisible();
    await expectFitting(page);
    expect(await steps.evaluate((box) => box.scrollWidth - box.clientWidth)).toBeLessThanOrEqual(0);
    await axe(page);
    const password = new URL(project.databaseUrl).password;
    for (const secret of [project.serviceRoleKey, project.anonKey, password]) {
      expect(await page.content()).not.toContain(secret);
    }

    await inProject(project, "create schema app; create table app.notes (id int primary key)");
    await retry(page).click();
    const refused = page.getByRole("alert");
    await expect(refused).toContainText("another plan than the one that was looked at", {
      timeout: 60_000,
    });
    await expect(refused).toContainText("What to do");
    await expect(refused).toBeInViewport();
    await expect(heading(page)).toBeVisible();
    expect((await runsOf(berth, requestId)).length).toBe(1);

    await inProject(project, "drop schema app cascade; drop schema private");
    await button(page, "Show the plan").click();
    await expect(heading(page)).toBeFocused({ timeout: 60_000 });
    await expect(refused).toHaveCount(0);
    const digest = await page.locator("input[name=planDigest]").inputValue();
    await retry(page).click();
    await expect(heading(page)).toHaveCount(0);
    expect((await settled(berth.api, requestId)).status).toBe("completed");
    const runs = await runsOf(berth, requestId);
    expect(runs.map(({ basis }) => basis?.digest).slice(1)).toEqual([digest]);
  });
}

test("a plan with nothing left to apply says so; one that cannot be made says why", async ({
  as,
  berth,
  sandbox,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const route = "PATCH /v1/projects/:ref/config/auth";
  await sandbox.addFault({ kind: "error", ref: project.ref, route, status: 404 });
  const requestId = await build(berth, project);
  await sandbox.dropFaults(project.ref);
  const { page } = await as("supervisor", { viewport: PHONE });
  await open(page, pageOf(requestId));
  await button(page, "Show the plan").click();
  await expect(page.getByText(/Nothing is left to apply/)).toBeVisible({ timeout: 60_000 });
  await expect(page.locator("[data-planned=applied]").first()).toContainText("Applied already");
  await expect(page.locator("[data-planned=apply]")).toHaveCount(0);
  await expectFitting(page);

  await inProject(project, "alter table berth.ledger rename column checksum to other");
  await button(page, "Show the plan").click();
  const refused = page.getByRole("alert");
  await expect(refused).toContainText("so there is no plan");
  for (const part of ["Found: SQLSTATE 42703", "Needed:", "What to do:"]) {
    await expect(refused).toContainText(part);
  }
  await expect(heading(page)).toHaveCount(0);
  await axe(page);

  await inProject(project, "alter table berth.ledger rename column other to checksum");
  await sandbox.addFault({ kind: "paused", ref: project.ref });
  await button(page, "Show the plan").click();
  await expect(refused).toContainText("These credentials cannot be used as they are.");
  await expect(page.locator("[data-state=fails]").first()).toContainText("What to do");
  await expectFitting(page);
  await sandbox.dropFaults(project.ref);
});

test("a retry that was refused without a plan is held to the one that was seen, when tried again", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  const held = page.getByText("A retry still starts only the plan that you looked at.");
  await button(page, "Show the plan").click();
  await expect(heading(page)).toBeFocused({ timeout: 60_000 });
  await expect(held).toHaveCount(0);
  const digest = await page.locator("input[name=planDigest]").inputValue();

  const table = (from: string, to: string) =>
    inProject(project, `alter table berth.ledger rename column ${from} to ${to}`);
  await table("checksum", "other");
  const refused = page.getByRole("alert");
  // As often as it is refused, and whichever of the two is pressed.
  for (const press of [retry(page), button(page, "Show the plan"), retry(page)]) {
    await press.click();
    await expect(refused).toContainText("so there is no plan");
    await expect(held).toBeVisible();
    await expect(page.locator("input[name=planDigest]")).toHaveValue(digest);
  }

  await table("other", "checksum");
  await inProject(project, "create schema app; create table app.notes (id int primary key)");
  await retry(page).click();
  await expect(refused).toContainText("another plan than the one that was looked at", {
    timeout: 60_000,
  });
  await expect(heading(page)).toBeVisible();
  await expect(held).toHaveCount(0);
  expect((await runsOf(berth, requestId)).length).toBe(1);
});

test("a look says so where the request moves on before it, or while its plan is read", async ({
  as,
  berth,
  newProject,
}) => {
  const requestId = await failedRequest(berth, await newProject());
  const [{ page: stale }, { page: live }] = [await as("admin"), await as("admin")];
  await deafen(stale);
  for (const page of [stale, live]) await open(page, pageOf(requestId));
  await button(live, "Show the plan").click();
  await expect(heading(live)).toBeFocused({ timeout: 60_000 });
  const tests = () =>
    berth.sql("select from audit_log where request_id = $1 and action = 'credentials.test'", [
      requestId,
    ]);
  const before = (await tests()).length;
  expect((await berth.api("POST", `/api/queue/${requestId}/cancel`)).status).toBe(200);
  await expect(live.getByText("The request has moved on")).toBeVisible();
  await expect(heading(live)).toHaveCount(0);

  await button(stale, "Show the plan").click();
  const told = stale.getByRole("alert");
  await expect(told).toContainText("What changed since you opened this page");
  await expect(button(stale, "Show the plan")).toHaveCount(0);
  expect((await tests()).length).toBe(before);
});

test("without scripts the plan is shown, and started; not to whoever may not retry", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  const { page: operator } = await as("operator");
  await open(operator, pageOf(requestId));
  await expect(button(operator, "Show the plan")).toHaveCount(0);
  const forged = await operator.request.post(pageOf(requestId), {
    form: { intent: "look", version: "99", eventId: "999999999" },
    headers: { origin: berth.url },
  });
  expect(forged.status()).toBe(409);
  expect(await forged.text()).not.toContain("The steps of the run");

  await inProject(project, "drop schema private");
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(pageOf(requestId));
  await button(page, "Show the plan").click();
  await expect(heading(page)).toBeVisible({ timeout: 60_000 });
  await retry(page).click();
  // It has failed once already.
  await settled(berth.api, requestId, ["completed"]);
});

test("a call retries the plan that it names, or nothing", async ({ berth, newProject }) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  const call = (name: string, body?: unknown) =>
    berth.api("POST", `/api/queue/${requestId}/${name}`, body);
  const odd = await call("retry", { planDigest: "x" });
  expect([odd.status, odd.body.errors[0].field]).toEqual([422, "planDigest"]);
  const wrong = await call("retry", { planDigest: "0".repeat(64) });
  expect([wrong.status, wrong.body.type]).toEqual([409, "/docs/api#plan_changed"]);
  expect(wrong.body.fix).toBe("Look at the plan again, and retry.");
  expect((await runsOf(berth, requestId)).length).toBe(1);

  await inProject(project, "drop schema private");
  const { digest } = (await call("plan")).body.plan.basis;
  const started = await call("retry", { planDigest: digest });
  expect([started.status, started.body.run.basis.digest]).toEqual([200, digest]);
  expect((await settled(berth.api, requestId)).status).toBe("completed");
});

/** The page of a run: watched to its end, failed and mended, waiting for a person. */
import type { Page } from "@playwright/test";
import {
  claimedRequest,
  credentialsOf,
  eventually,
  type SandboxProject,
  settled,
} from "../support/client.ts";
import { inProject } from "./support/life.ts";
import { type Berth, deafen, expect, open, test } from "./support/test.ts";

const pageOf = (requestId: string) => `/desk/requests/${requestId}/run`;
const badge = (page: Page, word: string) =>
  page.getByRole("region", { name: "Summary" }).getByText(word, { exact: true });
const steps = (page: Page, status: string) => page.locator(`[data-step="${status}"]`);

async function submit(berth: Berth, requestId: string, project: SandboxProject): Promise<void> {
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
}

/** A request whose run has failed at its first file: what it wants to make is there already. */
async function failedRequest(berth: Berth, project: SandboxProject): Promise<string> {
  const requestId = await claimedRequest(berth.api);
  await inProject(project, "create schema private");
  await submit(berth, requestId, project);
  expect((await settled(berth.api, requestId)).status).toBe("failed");
  return requestId;
}

test("before there is a run, the page says what must happen first", async ({
  as,
  berth,
  newCustomer,
  axe,
}) => {
  const { requestId } = await newCustomer();
  const { page } = await as("admin");
  await page.goto(pageOf(requestId));
  await expect(page.getByText("There is no run yet")).toBeVisible();
  await expect(page.getByText(/First somebody claims the request/)).toBeVisible();
  await berth.api("POST", `/api/queue/${requestId}/claim`);
  await page.reload();
  await page.getByRole("link", { name: "Supply credentials" }).click();
  await page.waitForURL(`**/desk/requests/${requestId}/credentials`);
  await axe(page);
});

test("a run is watched to its end without a reload", async ({
  as,
  berth,
  sandbox,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const requestId = await claimedRequest(berth.api, { features: ["inventory"] });
  // One step takes its time, so that it can be seen at work.
  const slow = { kind: "delay", ref: project.ref, route: "POST /auth/v1/admin/users", ms: 8_000 };
  await sandbox.addFault(slow);
  const { page } = await as("operator");
  await open(page, pageOf(requestId));
  let loads = 0;
  page.on("load", () => {
    loads += 1;
  });
  await submit(berth, requestId, project);
  await expect(badge(page, "Running")).toBeVisible({ timeout: 60_000 });
  await expect(steps(page, "running")).toContainText("Owner account", { timeout: 60_000 });
  await expect(page.getByText(/Now: Owner account\. Next: Health check\./)).toBeVisible();
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(body.status).toBe("completed");
  await expect(steps(page, "done")).toHaveCount(body.run.steps.length);
  await expect(page.getByText(/\d+ statements applied/).first()).toBeVisible();
  await expect(page.getByText("base 1.1.0, inventory 1.1.0")).toBeVisible();
  expect(loads).toBe(0);
  await axe(page);
});

test("a failed run says where and why, and goes on once that is mended", async ({
  as,
  berth,
  newProject,
  axe,
}) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  const { page } = await as("admin");
  await page.goto(pageOf(requestId));
  await expect(badge(page, "Failed")).toBeVisible();
  const failed = steps(page, "failed");
  await expect(failed).toHaveCount(1);
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  const { error } = body.run.steps.find((step: { error?: unknown }) => step.error);
  for (const text of [error.found, error.needed, error.fix, error.sqlstate]) {
    await expect(failed.getByText(text, { exact: true }).first()).toBeVisible();
  }
  await expect(failed.getByText(`${error.file}:${error.line}`, { exact: true })).toBeVisible();
  const marked = failed.locator("[data-failed]");
  await expect(marked).toContainText("create schema private;");
  await expect(marked).toContainText(String(error.line));
  await axe(page);

  // It is the log's story, too.
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download the log" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^run-[0-9a-f-]{36}\.txt$/);
  const stream = await file.createReadStream();
  const log = Buffer.concat(await stream.toArray()).toString("utf8");
  expect(log).toContain("sqlstate: 42P06");
  const password = new URL(project.databaseUrl).password;
  for (const secret of [project.serviceRoleKey, project.anonKey, password]) {
    expect(log).not.toContain(secret);
    expect(await page.content()).not.toContain(secret);
  }

  await inProject(project, "drop schema private");
  await failed.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Run 2 of 2");
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
  // The run that failed is still to be looked at, and offers no act any more.
  await page.getByRole("link", { name: "Run 1: failed" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Run 1 of 2");
  await expect(steps(page, "failed").locator("[data-failed]")).toBeVisible();
  await expect(page.getByRole("button", { name: "Retry" })).toHaveCount(0);
});

test("after a failed run, other credentials build in another project", async ({
  as,
  berth,
  newProject,
}) => {
  const requestId = await failedRequest(berth, await newProject());
  const second = await newProject();
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await page.getByRole("link", { name: "Supply other credentials" }).click();
  await expect(page.getByText(/The last run failed at/)).toBeVisible();
  for (const [name, value] of Object.entries(credentialsOf(second))) {
    await page.locator(`#${name}`).fill(value);
  }
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await expect(page.getByRole("heading", { name: "The plan" })).toBeVisible({ timeout: 60_000 });
  await page.getByRole("button", { name: "Start the run" }).click();
  await page.waitForURL(`**${pageOf(requestId)}`);
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
});

test("who does not hold the request is told who may retry; a stale page, what changed", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  const { page: operator } = await as("operator");
  await operator.goto(pageOf(requestId));
  await expect(operator.getByRole("button", { name: "Retry" })).toBeDisabled();
  await expect(
    operator.getByText(/only Demo Admin or a supervisor may run it again/),
  ).toBeVisible();
  const field = (name: string) => operator.locator(`input[name=${name}]`).first().inputValue();
  const forged = await operator.request.post(pageOf(requestId), {
    form: { intent: "retry", version: await field("version"), eventId: await field("eventId") },
    headers: { origin: berth.url },
  });
  expect(forged.status()).toBe(409);
  expect(await forged.text()).toContain("has claimed this request");

  // A page that hears of nothing, while somebody else retries and that run fails, too.
  const { context, page } = await as("admin");
  await deafen(context);
  await open(page, pageOf(requestId));
  expect((await berth.api("POST", `/api/queue/${requestId}/retry`)).status).toBe(200);
  expect((await settled(berth.api, requestId)).status).toBe("failed");
  await page.getByRole("button", { name: "Retry" }).click();
  const told = page.getByRole("alert");
  await expect(told).toContainText("This request has changed since it was read. Nothing was done.");
  await expect(told).toContainText("Run again by Demo Admin");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Run 2 of 2");
  // With the newest run before one's eyes, it is.
  await inProject(project, "drop schema private");
  await page.getByRole("button", { name: "Retry" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Run 3 of 3");
});

test("a step that needs a person leads to the setting, and is looked at again", async ({
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
  const { page } = await as("admin");
  await page.goto(pageOf(requestId));
  await expect(badge(page, "Needs a person")).toBeVisible();
  const waiting = steps(page, "needs_person");
  await expect(waiting.getByRole("link", { name: /Open the setting at Supabase/ })).toHaveAttribute(
    "href",
    new RegExp(`/dashboard/project/${project.ref}/auth/providers$`),
  );
  await axe(page);
  await sandbox.dropFaults(project.ref);
  await waiting.getByRole("button", { name: "Retry" }).click();
  await expect(badge(page, "Done")).toBeVisible({ timeout: 60_000 });
});

test("the page works without JavaScript, and an unknown run is the newest one", async ({
  as,
  berth,
  newProject,
}) => {
  const project = await newProject();
  const requestId = await failedRequest(berth, project);
  await inProject(project, "drop schema private");
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(`${pageOf(requestId)}?run=00000000-0000-7000-8000-000000000000`);
  await expect(page.getByText("This request has no such run.")).toBeVisible();
  await expect(steps(page, "failed").locator("[data-failed]")).toBeVisible();
  await page.getByRole("button", { name: "Retry" }).click();
  await eventually("the run to be done", async () => {
    await page.reload();
    return badge(page, "Done").isVisible();
  });
});

test("runs and their logs are for the staff", async ({ as, asCustomer, berth, newCustomer }) => {
  const customer = await newCustomer();
  const { page: own } = await asCustomer(customer);
  for (const path of [pageOf(customer.requestId), `${pageOf(customer.requestId)}/log`]) {
    const answer = await own.request.get(path);
    expect(answer.status()).toBe(404);
  }
  const { page } = await as("admin");
  const none = await page.request.get(`${pageOf(customer.requestId)}/log`);
  expect(none.status()).toBe(404);
  expect((await page.goto(`${berth.url}${pageOf("nonsense")}`))?.status()).toBe(404);
});

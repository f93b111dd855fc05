/** The main job of all three people, by hand, from the first page to the last. */
import type { Page } from "@playwright/test";
import {
  answerBusiness,
  chooseFeatures,
  choosePlan,
  keepSettings,
  letBerthCreate,
  newPerson,
  submit,
} from "./support/sign-up.ts";
import { expect, hydrated, test } from "./support/test.ts";

const SIZES = [
  { on: "at a desk", viewport: { width: 1440, height: 900 } },
  { on: "on a phone", viewport: { width: 390, height: 844 } },
];

/** A value as the sandbox's page shows it, to be copied. */
const shown = async (project: Page, name: string) =>
  (await project.locator(`.secret[data-name="${name}"] code`).textContent()) ?? "";

/** From Berth's page to Supabase's, where the person makes the project that Berth asks for. */
async function createProject(supabase: Page, name: string) {
  await supabase.getByLabel("Name").fill(name);
  await supabase.getByLabel("Region").selectOption("eu-central-1");
  await supabase.getByRole("button", { name: "Create project" }).click();
  await expect(supabase.getByRole("heading", { level: 1 })).toHaveText(name);
  // The page reloads itself until the project is up.
  await expect(supabase.getByText(/, ready\.$/)).toBeVisible({ timeout: 60_000 });
  return {
    "Project URL": await shown(supabase, "Project URL"),
    "Anon or publishable key": await shown(supabase, "Publishable key"),
    "Service-role or secret key": await shown(supabase, "Secret key"),
    "Database URL": await shown(supabase, "Database URL (session pooler)"),
  };
}

test.describe.configure({ mode: "parallel" });

for (const { on, viewport } of SIZES) {
  test(`from sign-up to a backend of one's own, ${on}`, async ({ stranger, as, mailTo }) => {
    test.setTimeout(300_000);
    const person = newPerson();
    const { company, email } = person;
    const { page: customer } = await stranger({ viewport });
    const { page: desk, context: deskBrowser } = await as("admin", { viewport });
    let request = "";

    await test.step("a stranger signs up in six steps", async () => {
      await customer.goto("/");
      await customer.getByRole("main").getByRole("link", { name: "Get your backend" }).click();
      await customer.waitForURL("**/sign-up/business");
      await hydrated(customer);
      await answerBusiness(customer, person);
      await choosePlan(customer, "Business");
      await chooseFeatures(customer, ["Point of sale"]);
      await keepSettings(customer);
      await letBerthCreate(customer);
      for (const answer of [company, email, "needs it"]) {
        await expect(customer.getByRole("main")).toContainText(answer);
      }
      await submit(customer);
      request = customer.url().split("/").at(-1) ?? "";
      await expect(customer.getByRole("heading", { level: 1 })).toContainText(/in line/);
      // Lost, should this page ever be loaded again.
      await customer.evaluate(() => Object.assign(window, { neverReloaded: true }));
    });

    await test.step("an admin finds the request and claims it", async () => {
      await desk.goto("/desk/queue");
      await hydrated(desk);
      const search = desk.getByRole("searchbox");
      await search.fill(company);
      await search.press("Enter");
      await expect(desk).toHaveURL(/[?&]q=/);
      await desk.getByRole("link", { name: company, exact: true }).click();
      await desk.waitForURL(`**/desk/requests/${request}`);
      await desk.getByRole("button", { name: "Claim the request" }).click();
      await expect(desk.getByRole("link", { name: "Paste the credentials" })).toBeVisible();
      await expect(customer.getByRole("heading", { level: 1 })).toContainText("preparing");
    });

    const values = await test.step("creates the project at Supabase", async () => {
      const opened = deskBrowser.waitForEvent("page");
      await desk
        .getByRole("main")
        .getByRole("link", { name: /new tab/ })
        .first()
        .click();
      const supabase = await opened;
      const made = await createProject(supabase, company);
      await supabase.close();
      return made;
    });

    await test.step("pastes and tests the credentials, reads the plan, and starts the run", async () => {
      await desk
        .getByRole("link", { name: /paste|credentials/i })
        .first()
        .click();
      await desk.waitForURL("**/credentials");
      await hydrated(desk);
      for (const [label, value] of Object.entries(values)) {
        await desk.getByLabel(label).fill(value);
      }
      await expect(desk.getByRole("button", { name: "Start the run" })).toHaveCount(0);
      await desk.getByRole("button", { name: "Test" }).click();
      await expect(desk.getByText(/All lines hold\./)).toBeVisible({ timeout: 60_000 });
      await expect(desk.getByText(/nothing is applied yet\./)).toBeVisible();
      await desk.getByRole("button", { name: "Start the run" }).click();
    });

    await test.step("and watches the run to its end", async () => {
      await desk.waitForURL("**/run");
      await hydrated(desk);
      await expect(desk.getByRole("status").first()).toContainText("The backend is ready", {
        timeout: 120_000,
      });
      for (const value of Object.values(values).slice(2)) {
        expect(await desk.content()).not.toContain(value);
      }
    });

    await test.step("the customer's page completes by itself", async () => {
      const title = customer.getByRole("heading", { level: 1 });
      await expect(title).toHaveText("Your backend is ready.");
      await expect(customer.getByRole("main")).toContainText(values["Project URL"]);
      expect(await customer.evaluate(() => "neverReloaded" in window)).toBe(true);
    });

    await test.step("the mail's link signs the owner in at the backend", async () => {
      const mail = await mailTo(email, "is ready");
      const link = mail.links.find((url) => url.includes("/owner?token="));
      expect(link).toBeTruthy();
      const owner = await customer.context().newPage();
      await owner.goto(link ?? "");
      await owner.getByRole("button", { name: "Sign in as the owner" }).click();
      await expect(owner.getByRole("status")).toHaveText(`Signed in as ${email}`);
      expect(owner.url().startsWith(values["Project URL"])).toBe(true);
      await owner.close();
      await expect(customer.getByText("You are its owner.")).toBeVisible();
    });

    await test.step("the audit record tells all of it", async () => {
      await desk.goto("/desk/audit");
      await desk.getByLabel(/^Request.s id$/).fill(request);
      await desk.getByRole("button", { name: "Apply" }).click();
      // The address changes a moment before the list does.
      await expect(desk.getByRole("link", { name: "Show all" })).toBeVisible();
      await expect(desk).toHaveURL(/request=/);
      const record = desk.getByRole("table");
      // The newest first: a run alone fills more than a page.
      for (const act of [
        "request.completed",
        "run.succeeded",
        "request.credentials_submitted",
        "request.claimed",
        "request.received",
      ]) {
        const found = record.getByText(act, { exact: true });
        while (!(await found.isVisible())) await turnThePage(desk);
      }
    });

    await test.step("and the dashboard counts it", async () => {
      const { page: supervisor } = await as("supervisor", { viewport });
      await supervisor.goto("/desk/dashboard");
      await supervisor
        .getByRole("row", { name: /^Completed/ })
        .getByRole("link")
        .first()
        .click();
      await supervisor.waitForURL("**/desk/queue?**");
      await supervisor.getByRole("searchbox").fill(company);
      await supervisor.getByRole("searchbox").press("Enter");
      await expect(supervisor.getByRole("link", { name: company, exact: true })).toBeVisible();
    });
  });
}

/** Goes on to older records, and waits until they are shown. */
async function turnThePage(desk: Page): Promise<void> {
  const newest = desk.getByRole("table").getByRole("row").nth(1).locator("time").first();
  const before = (await newest.getAttribute("datetime")) ?? "";
  await desk.getByRole("link", { name: "Next page" }).click();
  await expect(newest).not.toHaveAttribute("datetime", before);
}

/** The wizard's steps, as a person does them. They work without scripts, too. */
import { randomBytes } from "node:crypto";
import { expect, type Page } from "@playwright/test";
import type { SandboxProject } from "../../support/client.ts";
import type { Berth } from "./installation.ts";

export const PASSWORD = "harbour crane lantern";

export interface NewPerson {
  company: string;
  name: string;
  email: string;
}

export function newPerson(): NewPerson {
  const mark = randomBytes(4).toString("hex");
  return { company: `Bakery ${mark}`, name: "Ann Example", email: `ann-${mark}@example.com` };
}

type Step = "business" | "plan" | "features" | "settings" | "backend" | "review";

/** Presses Continue, and waits until the page of that step is there. */
export async function goOn(page: Page, step: Step): Promise<void> {
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/sign-up/${step}(\\?|$)`), { timeout: 30_000 });
}

/** The first step, of a stranger or of somebody who is signed in. */
export async function answerBusiness(
  page: Page,
  { company, name, email }: NewPerson,
  password = PASSWORD,
  next: Step = "plan",
): Promise<void> {
  await page.getByLabel("Company").fill(company);
  await page.getByLabel("Industry").fill("Retail");
  await page.getByLabel("Country").selectOption("DE");
  await page.getByLabel("Time zone").selectOption("Europe/Berlin");
  await page.getByLabel("Where your data is kept").selectOption("eu-central-1");
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Telephone").fill("+49 30 1234567");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await goOn(page, next);
}

export async function choosePlan(page: Page, name: string): Promise<void> {
  await page.getByRole("radio", { name, exact: true }).check();
  await goOn(page, "features");
}

/** Chooses these and no others. What another needs stays ticked by itself. */
export async function chooseFeatures(page: Page, titles: string[]): Promise<void> {
  await expect(page.getByRole("heading", { name: "Choose features" })).toBeVisible();
  for (const title of await page.locator("fieldset [id$=-title]").allInnerTexts()) {
    const box = page.getByRole("checkbox", { name: title, exact: true });
    if (!(await box.isEnabled()) || (await box.isChecked()) === titles.includes(title)) continue;
    await box.click();
  }
  await goOn(page, "settings");
}

/** The field of a question that a feature asks, such as `base.currency`. */
export const setting = (page: Page, name: string) => page.locator(`[name="${name}"]`);

/** Leaves every question as it stands there beforehand. */
export async function keepSettings(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { name: "Settings", exact: true })).toBeVisible();
  await goOn(page, "backend");
}

export async function letBerthCreate(page: Page): Promise<void> {
  await page.getByRole("radio", { name: "Create it for me" }).check();
  await goOn(page, "review");
}

/** Pastes the four values of a project. */
export async function fillProject(
  page: Page,
  project: Pick<SandboxProject, "url" | "anonKey" | "serviceRoleKey" | "databaseUrl">,
): Promise<void> {
  const box = (name: string) => page.getByRole("textbox", { name });
  await box("Project URL").fill(project.url);
  await box("Anon or publishable key").fill(project.anonKey);
  await box("Service-role or secret key").fill(project.serviceRoleKey);
  await box("Database URL").fill(project.databaseUrl);
}

/** All five steps that ask something, to the review. */
export async function answerAll(page: Page, person: NewPerson): Promise<void> {
  await page.goto("/sign-up/business");
  await answerBusiness(page, person);
  await choosePlan(page, "Growth");
  await chooseFeatures(page, ["Point of sale"]);
  await keepSettings(page);
  await letBerthCreate(page);
}

export async function submit(page: Page): Promise<void> {
  await page.getByRole("checkbox", { name: "I agree to have Berth set up this backend" }).check();
  await page.getByRole("button", { name: "Submit the request" }).click();
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
}

/** The requests of whoever signed up with this address, with their customer and backend. */
export function requestsOf(berth: Berth, { email }: NewPerson): Promise<Record<string, unknown>[]> {
  return berth.sql(
    `select q.*, c.company, c.phone, c.country, c.timezone, c.industry, b.status as backend, b.project_ref
     from provisioning_queue q join customers c on c.id = q.customer_id
     left join customer_backends b on b.request_id = q.id where c.email = $1`,
    [email],
  );
}

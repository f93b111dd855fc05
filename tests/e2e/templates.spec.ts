/** Runs when the other specs are done (playwright.config.ts): what it switches off, they choose. */

import { answerBusiness, choosePlan, newPerson } from "./support/sign-up.ts";
import { expect, hydrated, test, unique } from "./support/test.ts";

test("a template that is switched off cannot be chosen until it is on again", async ({
  as,
  page: wizard,
  berth,
  axe,
}) => {
  const order = () =>
    berth.api("POST", "/api/customers", {
      company: unique("Company"),
      contactName: "Demo Customer",
      email: "templates@example.com",
      country: "DE",
      region: "eu-central-1",
      plan: "business",
      billingCycle: "monthly",
      features: ["analytics"],
    });
  await wizard.goto("/sign-up/business");
  await answerBusiness(wizard, newPerson());
  await choosePlan(wizard, "Business");
  const choice = wizard.getByRole("checkbox", { name: "Analytics" });
  await expect(choice).toBeEnabled();

  const { page } = await as("supervisor");
  await page.goto("/desk/templates");
  await hydrated(page);
  const part = page.getByRole("article", { name: "Analytics" });
  await expect(part).toContainText("Offered");
  await axe(page);
  await part.getByRole("button", { name: "Switch off Analytics" }).click();
  const question = page.getByRole("dialog");
  await expect(question).toContainText("New customers can no longer choose Analytics");
  await axe(page);
  await question.getByRole("button", { name: "Switch off" }).click();
  try {
    await expect(page.getByText("Analytics is switched off")).toBeVisible();
    await expect(part).toContainText("Switched off");
    await wizard.reload();
    await expect(wizard.getByRole("checkbox", { name: "Inventory" })).toBeVisible();
    await expect(choice).toHaveCount(0);
    const refused = await order();
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).toContain("Analytics is not offered at present");
  } finally {
    await part.getByRole("button", { name: "Switch on Analytics" }).click();
    await expect(page.getByText("Analytics is offered again")).toBeVisible();
  }
  await wizard.reload();
  await expect(choice).toBeEnabled();
  expect((await order()).status).toBe(201);
  await page.goto("/desk/audit?action=template.switch&id=analytics");
  await expect(page.getByText("switched a template").first()).toBeVisible();
});

test("a template's page says what it asks, holds and was released as", async ({ as, axe }) => {
  const { page } = await as("operator");
  await page.goto("/desk/templates");
  const part = page.getByRole("article", { name: "Company and people" });
  await expect(part).toContainText("base 1.");
  await expect(part.getByText("currency", { exact: true })).toBeHidden();
  await part.getByText("Versions, questions and files").click();
  await expect(part.getByText("currency", { exact: true })).toBeVisible();
  await expect(part).toContainText(
    "a currency, beforehand the currency of the customer’s country, else EUR",
  );
  await expect(part).toContainText("beforehand the company’s name");
  await expect(part).toContainText("1.0.0 released");
  await expect(part).toContainText("PNG");
  await expect(part.getByText("seed.sql")).toBeVisible();
  await axe(page);
});

test("without scripts a template is switched off after its question alone", async ({ as }) => {
  const { page, context } = await as("supervisor", { javaScriptEnabled: false });
  const stale = await context.newPage();
  for (const one of [page, stale]) await one.goto("/desk/templates");
  const part = page.getByRole("article", { name: "Analytics" });
  await part.getByRole("button", { name: "Switch off Analytics" }).click();
  const question = part.getByRole("dialog");
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await expect(question).toContainText("New customers can no longer choose Analytics");
  await expect(part.getByText("Offered", { exact: true })).toBeVisible();
  await question.getByRole("button", { name: "Switch off" }).click();
  try {
    await expect(part.getByText("Switched off", { exact: true })).toBeVisible();
    await stale.getByRole("button", { name: "Switch off Analytics" }).click();
    await expect(stale.getByText("This is no longer possible")).toBeInViewport();
  } finally {
    await part.getByRole("button", { name: "Switch on Analytics" }).click();
  }
  await expect(part.getByText("Offered", { exact: true })).toBeVisible();
});

test("others than supervisors see the switch, and why they may not use it", async ({
  as,
  berth,
}) => {
  const { page } = await as("operator");
  await page.goto("/desk/templates");
  const button = page.getByRole("article", { name: "Analytics" }).getByRole("button");
  await expect(button).toBeDisabled();
  await expect(button).toHaveAccessibleDescription("Only a supervisor may.");
  await expect(
    page.getByRole("article", { name: "Company and people" }).getByRole("button"),
  ).toHaveCount(0);
  for (const [role, status] of [
    ["operator", 403],
    ["supervisor", 409],
  ] as const) {
    const person = await as(role);
    const forced = await person.page.request.post("/desk/templates", {
      form: { template: "base", active: "false", confirmed: "1" },
      headers: { origin: berth.url },
    });
    expect(forced.status()).toBe(status);
  }
});

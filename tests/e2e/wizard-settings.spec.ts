/** The step that asks what the chosen features need to know, and where the answers go. */
import type { Page } from "@playwright/test";
import { tabTo } from "./support/keyboard.ts";
import {
  answerBusiness,
  chooseFeatures,
  choosePlan,
  goOn,
  keepSettings,
  letBerthCreate,
  type NewPerson,
  newPerson,
  requestsOf,
  setting,
  submit,
} from "./support/sign-up.ts";
import { type Berth, expect, hydrated, open, test } from "./support/test.ts";

async function toSettings(page: Page, features: string[] = []): Promise<NewPerson> {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Business");
  await chooseFeatures(page, features);
  return ann;
}

const answersOf = async (berth: Berth, person: NewPerson) =>
  (await requestsOf(berth, person)).map(({ parameters }) => parameters);

test("what is known stands there; what is answered is reviewed, kept and seen at the desk", async ({
  page,
  berth,
  as,
  axe,
}) => {
  const ann = await toSettings(page, ["Point of sale"]);
  const currency = setting(page, "base.currency");
  await expect(setting(page, "base.company_name")).toHaveValue(ann.company);
  await expect(setting(page, "base.time_zone")).toHaveValue("Europe/Berlin");
  await expect(currency).toHaveValue("EUR");
  await expect(setting(page, "base.company_name")).toHaveAccessibleDescription(/\w/);
  await setting(page, "base.company_name").fill("  Harbour & <b>Sons</b>  ");
  await currency.selectOption({ label: "Swiss Franc (CHF)" });
  await setting(page, "base.locale").selectOption({ label: "German (Austria)" });
  await setting(page, "pos.receipt_footer").fill("");
  await goOn(page, "backend");
  await letBerthCreate(page);

  const section = page.getByRole("region", { name: "Settings" });
  for (const words of ["Harbour & <b>Sons</b>", "Swiss Franc (CHF)", "German (Austria)"]) {
    await expect(section).toContainText(words);
  }
  await expect(section).toContainText("Left empty");
  await axe(page);
  await page.getByRole("link", { name: "Change settings" }).click();
  await expect(currency).toHaveValue("CHF");
  await currency.selectOption("USD");
  await goOn(page, "review");
  await expect(section).toContainText("US Dollar (USD)");
  await submit(page);

  expect(await answersOf(berth, ann)).toMatchObject([
    {
      base: {
        company_name: "Harbour & <b>Sons</b>",
        currency: "USD",
        time_zone: "Europe/Berlin",
        locale: "de-AT",
      },
      pos: { receipt_footer: "" },
    },
  ]);
  const [request] = await requestsOf(berth, ann);
  const { page: desk } = await as("admin");
  await desk.goto(`/desk/requests/${request?.id}`);
  const bought = desk.getByRole("region", { name: "What was bought" });
  await expect(bought.getByText("US Dollar (USD)")).toBeHidden();
  await bought.getByText("What the features asked").click();
  await expect(bought.getByText("US Dollar (USD)")).toBeVisible();
  await expect(bought.getByText("Harbour & <b>Sons</b>")).toBeVisible();
  await axe(desk);
});

test("what is wrong is said at its field and above, and what was written stays", async ({
  page,
  axe,
}) => {
  await toSettings(page);
  await setting(page, "base.company_name").fill("   ");
  await setting(page, "base.currency").selectOption("GBP");
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  const summary = page.getByRole("alert", { name: "There is a problem" });
  await expect(summary.getByRole("link")).toHaveText(["Company name: Fill this in."]);
  await expect(summary).toBeFocused();
  const field = setting(page, "base.company_name");
  await expect(field).toHaveAttribute("aria-invalid", "true");
  await expect(field).toHaveAccessibleDescription(/Fill this in\./);
  await axe(page);
  await summary.getByRole("link").click();
  await expect(field).toBeFocused();
  await expect(setting(page, "base.currency")).toHaveValue("GBP");
  await field.fill("Harbour");
  await keepSettings(page);
});

test("the same without scripts", async ({ stranger, berth }) => {
  const { page } = await stranger({ javaScriptEnabled: false });
  const ann = await toSettings(page, ["Point of sale"]);
  await setting(page, "base.company_name").fill("");
  await setting(page, "base.locale").selectOption("fr");
  await goOn(page, "settings");
  await expect(page.getByRole("alert")).toContainText("Fill this in.");
  await expect(setting(page, "base.locale")).toHaveValue("fr");
  await setting(page, "base.company_name").fill("Harbour");
  await keepSettings(page);
  await page.getByRole("link", { name: "Back" }).click();
  await expect(setting(page, "base.company_name")).toHaveValue("Harbour");
  await keepSettings(page);
  await letBerthCreate(page);
  await submit(page);
  expect(await answersOf(berth, ann)).toMatchObject([
    { base: { company_name: "Harbour", locale: "fr" } },
  ]);
});

test("features chosen later are asked about before the end; back and forward keep the answers", async ({
  page,
  berth,
}) => {
  const ann = await toSettings(page);
  await expect(setting(page, "pos.receipt_footer")).toHaveCount(0);
  await setting(page, "base.currency").selectOption("JPY");
  await goOn(page, "backend");
  await page.goBack();
  await expect(setting(page, "base.currency")).toHaveValue("JPY");
  await page.goForward();
  await letBerthCreate(page);

  await page.getByRole("link", { name: "Change features" }).click();
  await page.getByRole("checkbox", { name: "Point of sale" }).click();
  await goOn(page, "settings");
  await expect(setting(page, "base.currency")).toHaveValue("JPY");
  // Nothing is answered by itself.
  await page.goto("/sign-up/review");
  await expect(page).toHaveURL(/\/sign-up\/settings$/);
  await page.goto("/sign-up/settings?change");
  await setting(page, "pos.receipt_footer").fill("Come again");
  await goOn(page, "review");
  await expect(page.getByRole("region", { name: "Settings" })).toContainText("Come again");
  await submit(page);
  expect(await answersOf(berth, ann)).toMatchObject([
    { base: { currency: "JPY" }, pos: { receipt_footer: "Come again" } },
  ]);
});

for (const javaScriptEnabled of [true, false]) {
  test(`features changed in another window, ${javaScriptEnabled ? "with" : "without"} scripts`, async ({
    stranger,
    berth,
  }) => {
    const { page, context } = await stranger({ javaScriptEnabled });
    const ann = await toSettings(page);
    const other = await context.newPage();
    const change = async (features: string[]) => {
      await other.goto("/sign-up/features");
      if (javaScriptEnabled) await hydrated(other);
      await chooseFeatures(other, features);
    };
    const on = page.getByRole("button", { name: "Continue", exact: true });
    const told = (words: string) =>
      expect(page.getByRole("alert").filter({ hasText: words })).toBeVisible();

    await setting(page, "base.company_name").fill("Harbour");
    await change(["Point of sale"]);
    await on.click();
    await told("Your features were changed in another window: 3 questions are new.");
    await expect(page).toHaveURL(/\/sign-up\/settings/);
    // What is new stands there with its presets, and what was written stays.
    await expect(setting(page, "pos.staff_refund_limit")).toHaveValue("0");
    await expect(setting(page, "pos.receipt_footer")).toHaveValue("Thank you for your purchase.");
    await expect(setting(page, "base.company_name")).toHaveValue("Harbour");
    await expect(page.locator("[aria-invalid]")).toHaveCount(0);

    await setting(page, "base.company_name").fill("Harbour & Sons");
    await change(["Analytics"]);
    await on.click();
    await told("1 question is new, 3 questions are no longer asked.");
    await expect(setting(page, "pos.receipt_footer")).toHaveCount(0);
    await expect(page.getByRole("radio", { name: "Monday" })).toBeChecked();
    await keepSettings(page);
    await letBerthCreate(page);
    await submit(page);
    const [answers] = await answersOf(berth, ann);
    expect(answers).toMatchObject({
      base: { company_name: "Harbour & Sons" },
      analytics: { week_start: "monday" },
    });
    expect(answers).not.toHaveProperty("pos");
  });
}

test("an amount takes a comma, names its currency, and is never guessed", async ({
  stranger,
  berth,
  axe,
}) => {
  const { page } = await stranger({ locale: "en-US" });
  const ann = await toSettings(page, ["Point of sale"]);
  const limit = setting(page, "pos.staff_refund_limit");
  await expect(page.getByText("EUR", { exact: true })).toHaveCount(2);
  await setting(page, "base.currency").selectOption("CHF");
  await expect(page.getByText("CHF", { exact: true })).toHaveCount(2);
  await limit.fill("");
  await limit.pressSequentially("1,250");
  await setting(page, "base.company_name").fill("Har\u202ebour\u2060");
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await expect(limit).toHaveAccessibleDescription(/Leave out the sign between thousands/);
  await expect(limit).toHaveValue("1,250");
  await expect(page.getByText("CHF", { exact: true })).toHaveCount(2);
  await axe(page);
  await setting(page, "base.company_name").fill("Harbour");
  await limit.fill("");
  await limit.pressSequentially("12,50");
  await goOn(page, "backend");
  await letBerthCreate(page);
  const section = page.getByRole("region", { name: "Settings" });
  await expect(section).toContainText(/CHF\s12\.50/);
  await submit(page);
  await expect(page.getByText(/CHF\s12\.50/)).toBeHidden();
  await page.getByText("Your answers to the features’ questions").click();
  await expect(page.getByText(/CHF\s12\.50/)).toBeVisible();
  await axe(page);
  expect(await answersOf(berth, ann)).toMatchObject([{ pos: { staff_refund_limit: "12.5" } }]);
});

test("a country brings its currency and language", async ({ page }) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await page.goto("/sign-up/business");
  await page.getByLabel("Country").selectOption("CH");
  await goOn(page, "plan");
  await choosePlan(page, "Business");
  await chooseFeatures(page, []);
  await expect(setting(page, "base.currency")).toHaveValue("CHF");
  await expect(setting(page, "base.locale")).toHaveValue("de-CH");
  await expect(setting(page, "base.currency")).toHaveAccessibleDescription(/from step 1/);
});

test("what nobody asks, or a form cannot hold, is refused", async ({ page, berth }) => {
  const ann = await toSettings(page);
  const right = {
    "base.company_name": "Harbour",
    "base.currency": "EUR",
    "base.time_zone": "Europe/Berlin",
    "base.locale": "en",
  };
  const send = async (form: URLSearchParams | Record<string, string>) => {
    const answer = await page.request.post("/sign-up/settings", {
      headers: { origin: berth.url, "content-type": "application/x-www-form-urlencoded" },
      data: new URLSearchParams(form).toString(),
      maxRedirects: 0,
    });
    return { status: answer.status(), text: await answer.text() };
  };
  for (const change of [
    { "base.company_name": "x".repeat(5_000) },
    { "base.company_name": "two\nlines" },
    { "base.currency": "shells" },
    { "base.time_zone": "+01:00" },
    { "base.locale": "../en" },
  ] as Record<string, string>[]) {
    expect((await send({ ...right, ...change })).status, JSON.stringify(change).slice(0, 60)).toBe(
      422,
    );
  }
  for (const name of [
    "base.colour",
    "base.currency.x",
    "pos.receipt_footer",
    "teleport.speed",
    "constructor.name",
  ]) {
    const strange = await send({ ...right, [name]: "x" });
    expect([strange.status, strange.text.includes("1 question is no longer asked")], name).toEqual([
      422,
      true,
    ]);
  }
  const twice = new URLSearchParams(right);
  twice.append("base.currency", "USD");
  expect((await send(twice)).status).toBe(422);
  expect((await send({ ...right, "base.__proto__": "x" })).status).toBe(400);
  expect((await send({ ...right, "base.company_name": "a\0b" })).status).toBe(400);
  expect((await send({ ...right, "base.company_name": "x".repeat(10_000_000) })).status).toBe(413);
  const drafts = await berth.sql(
    `select d.answers -> 'settings' as settings from onboarding_drafts d
     join auth."user" u on u.id = d.user_id where u.email = $1`,
    [ann.email],
  );
  expect(drafts).toEqual([{ settings: null }]);
  // What a form of ours never has, and no point in its name, is ignored.
  expect((await send({ ...right, role: "admin", status: "completed" })).status).toBe(303);
});

test("the keyboard alone suffices", async ({ page }) => {
  await toSettings(page, ["Point of sale"]);
  await open(page, "/sign-up/settings");
  await tabTo(page, setting(page, "base.company_name"));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("Harbour");
  await tabTo(page, setting(page, "base.currency"));
  await page.keyboard.type("British");
  await tabTo(page, setting(page, "base.locale"));
  await page.keyboard.type("French");
  await tabTo(page, page.getByRole("button", { name: "Continue", exact: true }));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/sign-up\/backend$/);
  await page.goBack();
  await expect(setting(page, "base.company_name")).toHaveValue("Harbour");
  await expect(setting(page, "base.currency")).toHaveValue("GBP");
  await expect(setting(page, "base.locale")).toHaveValue("fr");
});

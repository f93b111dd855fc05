/** Every way in which a step of the wizard refuses what it is given. */
import type { Locator, Page } from "@playwright/test";
import { credentialsOf } from "../support/client.ts";
import { tabTo } from "./support/keyboard.ts";
import {
  answerAll,
  answerBusiness,
  chooseFeatures,
  choosePlan,
  fillProject,
  goOn,
  keepSettings,
  newPerson,
  PASSWORD,
  requestsOf,
  setting,
  submit,
} from "./support/sign-up.ts";
import { expect, open, test } from "./support/test.ts";

/** The summary of errors, which has the focus. */
async function expectErrors(page: Page, ...texts: (string | RegExp)[]): Promise<void> {
  const summary = page.getByRole("alert", { name: "There is a problem" });
  await expect(summary.getByRole("link")).toHaveText(texts, { timeout: 30_000 });
  await expect(summary).toBeFocused();
}

const goOnInVain = (page: Page) =>
  page.getByRole("button", { name: "Continue", exact: true }).click();

async function toBackend(page: Page) {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Growth");
  await chooseFeatures(page, []);
  await keepSettings(page);
  return ann;
}

test("business: what is missing, what is malformed, and nothing of the password comes back", async ({
  page,
  axe,
  berth,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await expect(page.getByLabel("Time zone")).toHaveValue("Europe/Berlin");
  await goOnInVain(page);
  await expectErrors(
    page,
    "Write the name of your company.",
    "Choose your country.",
    "Choose where your data is to be kept.",
    "Write your name.",
    "Write your e-mail address.",
    "Choose a password.",
  );
  await axe(page);
  await page.getByRole("link", { name: "Choose your country." }).click();
  await expect(page.getByLabel("Country")).toBeFocused();

  await page.getByLabel("Telephone").fill("call me");
  await page.getByLabel("Company").fill(ann.company);
  await page.getByLabel("Country").selectOption("DE");
  await page.getByLabel("Where your data is kept").selectOption("eu-central-1");
  await page.getByLabel("Your name").fill(ann.name);
  await page.getByLabel("E-mail").fill("a@example.com, b@example.com");
  await page.getByLabel("Password").fill("too short");
  await goOnInVain(page);
  await expectErrors(
    page,
    "Write a telephone number, such as +49 30 1234567.",
    "Write one e-mail address, such as name@example.com.",
    /^Use between 12 and 128 characters/,
  );
  await page.getByLabel("Telephone").fill("");
  await page.getByLabel("E-mail").fill(ann.email);
  await page.getByLabel("Password").fill("aaaaaaaaaaaaaa");
  await goOnInVain(page);
  await expectErrors(page, /^This repeats a few characters/);
  expect(await berth.sql(`select 1 from auth."user" where email = $1`, [ann.email])).toEqual([]);
});

test("business: what a form cannot hold is refused", async ({ page, berth }) => {
  const right = {
    company: "Bakery",
    contactName: "Ann Example",
    country: "DE",
    region: "eu-central-1",
    timezone: "Europe/Berlin",
    email: "forged@example.com",
    password: "harbour crane lantern",
  };
  const send = (change: Record<string, string>) =>
    page.request.post("/sign-up/business", {
      headers: { origin: berth.url },
      form: { ...right, ...change },
      maxRedirects: 0,
    });
  const wrong: Record<string, string>[] = [
    { company: "x".repeat(201) },
    { company: "x".repeat(5_000) },
    { company: "two\nlines" },
    { company: "\u200b" },
    { company: "Evil \u202egnp.exe" },
    { country: "XX" },
    { region: "moon-1" },
    { timezone: "Mars/Olympus" },
    { timezone: "+01:00" },
    { email: "a@example.com\r\nBcc: eve@example.com" },
  ];
  for (const change of wrong) {
    expect((await send(change)).status(), JSON.stringify(change).slice(0, 40)).toBe(422);
  }
  expect((await send({ company: "x".repeat(20_000) })).status()).toBe(422);
  const large = await send({ company: "x".repeat(200_000) });
  expect(large.status()).toBe(413);
  expect(await large.text()).toContain("This is more than Berth can take");
  const foreign = await page.request.post("/sign-up/business", {
    headers: { origin: "https://evil.example" },
    form: right,
    maxRedirects: 0,
  });
  expect(foreign.status()).toBe(403);
  const silent = await page.request.post("/sign-up/business", { form: right, maxRedirects: 0 });
  expect(silent.status()).toBe(403);
  const made = await berth.sql(`select 1 from auth."user" where email = $1`, [right.email]);
  expect(made).toEqual([]);
});

test("plan and features: nothing chosen, and what is not offered", async ({ page, berth }) => {
  await page.goto("/sign-up/business");
  await answerBusiness(page, newPerson());
  await goOnInVain(page);
  await expectErrors(page, "Choose a plan.");
  const send = async (step: string, form: Record<string, string>) => {
    const options = { headers: { origin: berth.url }, form, maxRedirects: 0 };
    const answer = await page.request.post(`/sign-up/${step}`, options);
    return { status: answer.status(), text: await answer.text() };
  };
  const plan = await send("plan", { plan: "platinum", billingCycle: "monthly" });
  expect(plan.status).toBe(422);
  expect(plan.text).toContain("There is no such plan.");
  expect((await send("plan", { plan: "growth", billingCycle: "weekly" })).text).toContain(
    "Choose how you pay: monthly or yearly.",
  );
  await choosePlan(page, "Starter");
  const lacking = await send("features", { features: "pos" });
  expect(lacking.status).toBe(422);
  expect(lacking.text).toContain("The plan Starter does not include Point of sale.");
  expect((await send("features", { features: "teleport" })).status).toBe(422);
  await chooseFeatures(page, []);
});

test("backend: what fails is said at its field with what was found, needed and to do", async ({
  page,
  axe,
  newProject,
  newCustomer,
}) => {
  await toBackend(page);
  await goOnInVain(page);
  await expectErrors(page, "Choose who makes the Supabase project.");
  await page.getByRole("radio", { name: "I have my own Supabase project" }).check();
  await goOnInVain(page);
  await expectErrors(
    page,
    "Paste the project's URL.",
    "Paste the anon or publishable key.",
    "Paste the service-role or secret key.",
    "Paste the connection string of the database.",
  );

  const project = await newProject();
  await fillProject(page, {
    ...project,
    anonKey: project.serviceRoleKey,
    serviceRoleKey: project.anonKey,
    databaseUrl: project.databaseUrl.replace(/:[^:@/]+@/, ":wrong@"),
  });
  await goOnInVain(page);
  await expectErrors(
    page,
    // At both of the fields to blame.
    /^The two keys are swapped\. Needed: the anon or publishable key in the first field.* Exchange the two keys\.$/,
    /^The two keys are swapped\./,
    /^The database refused the password\. Needed: .* Copy it again from Supabase/,
  );
  await expect(page.locator("#anonKey-error")).toContainText("The two keys are swapped.");
  await expect(page.locator("#databaseUrl-error")).toContainText("refused the password");
  await expect(page.getByText(/more checks wait for these/)).toBeVisible();
  await axe(page);

  await fillProject(page, { ...project, url: "https://169.254.169.254", databaseUrl: "nonsense" });
  await goOnInVain(page);
  await expect(page.locator("#url-error")).toBeVisible({ timeout: 30_000 });
  await expect(page.locator("#databaseUrl-error")).toBeVisible();

  const used = await newProject();
  await newCustomer({ backend: credentialsOf(used) });
  await fillProject(page, used);
  await goOnInVain(page);
  await expectErrors(
    page,
    "This project is in use already. Give a project of your own, or let Berth create one.",
  );
});

test("backend: what its fields allow is judged; far more than that is refused in words", async ({
  page,
  newProject,
}) => {
  await toBackend(page);
  const project = await newProject();
  await page.getByRole("radio", { name: "I have my own Supabase project" }).check();
  const key = "k".repeat(8_000);
  await fillProject(page, {
    ...project,
    anonKey: key,
    serviceRoleKey: key,
    databaseUrl: "d".repeat(4_000),
  });
  await goOnInVain(page);
  await expect(page.locator("#databaseUrl-error")).toBeVisible({ timeout: 30_000 });
  await page.getByRole("textbox", { name: "Database URL" }).fill("d".repeat(200_000));
  await goOnInVain(page);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "This is more than Berth can take",
  );
});

test("backend: one's own project is sealed, never shown, replaced, and destroyed", async ({
  page,
  berth,
  newProject,
}) => {
  const ann = await toBackend(page);
  const [first, second] = [await newProject(), await newProject()];
  await page.getByRole("radio", { name: "I have my own Supabase project" }).check();
  await fillProject(page, first);
  await goOn(page, "review");
  await page.goto("/sign-up/backend");
  await expect(page.getByText("Tested and sealed")).toBeVisible();
  await expect(page.getByText(first.anonKey.slice(-4), { exact: true })).toBeVisible();
  for (const address of ["/sign-up/backend", "/sign-up/review", "/sign-up/backend?another"]) {
    const text = await (await page.request.get(address)).text();
    for (const secret of [first.anonKey, first.serviceRoleKey, first.databaseUrl]) {
      expect(text).not.toContain(secret);
    }
  }
  const sealed = () =>
    berth.sql(
      `select s.field from sealed_secrets s join onboarding_drafts d on d.backend_id = s.backend_id
       join auth."user" u on u.id = d.user_id where u.email = $1 order by 1`,
      [ann.email],
    );
  expect(await sealed()).toHaveLength(3);

  await page.getByRole("link", { name: "Use another project" }).click();
  await fillProject(page, second);
  await goOn(page, "review");
  await expect(page.getByText(second.ref, { exact: true })).toBeVisible();
  await expect(page.getByText(first.ref)).toHaveCount(0);
  expect(await sealed()).toHaveLength(3);

  await page.getByRole("link", { name: "Change supabase project" }).click();
  await page.getByRole("button", { name: "Let Berth create it instead" }).click();
  await expect(page).toHaveURL(/\/sign-up\/review$/);
  await expect(page.getByText("Berth creates it for you")).toBeVisible();
  expect(await sealed()).toEqual([]);
});

test("review: not accepted; a project that another backend took meanwhile leads back to its step", async ({
  page,
  berth,
  newProject,
  newCustomer,
}) => {
  const ann = await toBackend(page);
  const project = await newProject();
  await page.getByRole("radio", { name: "I have my own Supabase project" }).check();
  await fillProject(page, project);
  await goOn(page, "review");
  await page.getByRole("button", { name: "Submit the request" }).click();
  await expectErrors(page, "Accept this, so that we can begin.");

  await newCustomer({ backend: credentialsOf(project) });
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Submit the request" }).click();
  await expect(page).toHaveURL(/\/sign-up\/backend\?change&in-use/);
  await expect(page.getByRole("alert")).toContainText("has gone to another backend meanwhile");
  expect(await requestsOf(berth, ann)).toEqual([]);
  await page.getByRole("button", { name: "Let Berth create it instead" }).click();
  await expect(page).toHaveURL(/\/sign-up\/review$/);
  await submit(page);
  expect(await requestsOf(berth, ann)).toHaveLength(1);
});

test("somebody else sees nothing of a sign-up, and cannot submit it", async ({
  page,
  stranger,
  berth,
}) => {
  const ann = newPerson();
  await answerAll(page, ann);
  const [draft] = await berth.sql(
    `select d.id, d.version from onboarding_drafts d join auth."user" u on u.id = d.user_id where u.email = $1`,
    [ann.email],
  );
  const { page: other } = await stranger();
  const eve = newPerson();
  await answerAll(other, eve);
  await expect(other.getByText(ann.company)).toHaveCount(0);
  const answer = await other.request.post("/sign-up/review", {
    headers: { origin: berth.url },
    form: { accept: "on", draftId: String(draft?.id), version: String(draft?.version) },
    maxRedirects: 0,
  });
  expect(answer.headers().location).toBe("/sign-up/business");
  expect(await requestsOf(berth, ann)).toEqual([]);
  expect(await requestsOf(berth, eve)).toEqual([]);
});

test("the keyboard alone suffices, from the first field to the page of the request", async ({
  page,
}) => {
  const ann = newPerson();
  const write = async (label: string, text: string) => {
    await tabTo(page, page.getByLabel(label));
    await page.keyboard.type(text);
  };
  const press = async (target: Locator, key: string) => {
    await tabTo(page, target);
    await page.keyboard.press(key);
  };
  const at = (step: string) => expect(page).toHaveURL(new RegExp(`/sign-up/${step}$`));
  await open(page, "/sign-up/business");
  await write("Company", ann.company);
  await write("Country", "Germany");
  await write("Time zone", "Europe/Berlin");
  await write("Where your data is kept", "Europe: Frankfurt");
  await write("Your name", ann.name);
  await write("E-mail", ann.email);
  await write("Password", PASSWORD);
  await page.keyboard.press("Enter");

  await at("plan");
  await tabTo(page, page.getByRole("radio", { name: "Starter", exact: true }));
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "Growth", exact: true })).toBeChecked();
  await page.keyboard.press("Enter");

  await at("features");
  await expect(page.locator("main")).toBeFocused();
  await press(page.getByRole("checkbox", { name: "Inventory" }), "Space");
  await press(page.getByRole("button", { name: "Continue", exact: true }), "Enter");

  await at("settings");
  await press(setting(page, "base.currency"), "u");
  await expect(setting(page, "base.currency")).toHaveValue("USD");
  await press(page.getByRole("button", { name: "Continue", exact: true }), "Enter");

  await at("backend");
  await press(page.getByRole("radio", { name: "Create it for me" }), "Space");
  await page.keyboard.press("Enter");

  await at("review");
  await press(page.getByRole("checkbox", { name: "I agree to have Berth set up" }), "Space");
  await press(page.getByRole("button", { name: "Submit the request" }), "Enter");
  await expect(page).toHaveURL(/\/requests\/[0-9a-f-]{36}$/);
  await expect(page.getByText(ann.company).first()).toBeVisible();
});

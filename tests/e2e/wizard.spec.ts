import {
  answerAll,
  answerBusiness,
  chooseFeatures,
  choosePlan,
  fillProject,
  goOn,
  keepSettings,
  letBerthCreate,
  newPerson,
  PASSWORD,
  requestsOf,
  submit,
} from "./support/sign-up.ts";
import { expect, test, unique } from "./support/test.ts";

test("six steps make one request, which the person is led to", async ({
  page,
  berth,
  axe,
  mailTo,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up");
  await expect(page).toHaveURL(/\/sign-up\/business$/);
  await expect(page.getByText("Step 1 of 6 · about 7 minutes left")).toBeVisible();
  // The browser's own zone is chosen before anybody looks.
  await expect(page.getByLabel("Time zone")).toHaveValue("Europe/Berlin");
  await axe(page);
  await answerBusiness(page, ann);

  await expect(page.getByText("Step 2 of 6")).toBeVisible();
  await axe(page);
  const growth = page.getByRole("radio", { name: "Growth" });
  await expect(page.getByText("€79 / month")).toBeVisible();
  await expect(page.getByText("€806 / year")).toBeHidden();
  await page.getByRole("radio", { name: "Yearly −15 %" }).check();
  await expect(page.getByText("€806 / year")).toBeVisible();
  await growth.check();
  await goOn(page, "features");

  await expect(page.getByText("Not in Growth; part of Business.")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Analytics" })).toBeDisabled();
  // What the plan includes is ticked; what another needs stays, and is said to.
  await expect(page.getByRole("checkbox", { name: "Point of sale" })).toBeChecked();
  await page.getByRole("checkbox", { name: "Inventory" }).click();
  await expect(page.getByText("Added: Point of sale needs Inventory.")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Inventory" })).toBeChecked();
  await axe(page);
  await goOn(page, "settings");

  await expect(page.getByText("Step 4 of 6")).toBeVisible();
  await expect(page).toHaveTitle("Step 4 of 6: Settings · Berth");
  await axe(page);
  await keepSettings(page);

  await axe(page);
  await letBerthCreate(page);
  await expect(page.getByText("Inventory (added: Point of sale needs it)")).toBeVisible();
  await expect(page.getByText("€806 / year")).toBeVisible();
  await axe(page);
  await submit(page);

  const requests = await requestsOf(berth, ann);
  expect(requests).toMatchObject([
    {
      company: ann.company,
      phone: "+49 30 1234567",
      country: "DE",
      timezone: "Europe/Berlin",
      industry: "Retail",
      region: "eu-central-1",
      plan_id: "growth",
      billing_cycle: "yearly",
      features: ["base", "inventory", "pos"],
      parameters: {
        base: expect.objectContaining({
          company_name: ann.company,
          currency: "EUR",
          time_zone: "Europe/Berlin",
        }),
      },
      priority: "normal",
      status: "pending",
    },
  ]);
  expect(page.url()).toBe(`${berth.url}/requests/${requests[0]?.id}`);
  expect((await mailTo(ann.email, "")).text).toContain(ann.company);
  // Whoever goes back finds the request, not a form to send once more.
  await page.goto("/sign-up/review");
  await expect(page).toHaveURL(new RegExp(`/requests/${requests[0]?.id}$`));
});

test("all of it without scripts, with a project of one's own", async ({
  stranger,
  berth,
  newProject,
}) => {
  const { page } = await stranger({ javaScriptEnabled: false });
  const project = await newProject();
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await goOn(page, "business");
  await expect(page.getByRole("alert")).toContainText("Choose your time zone.");
  await answerBusiness(page, ann);
  await choosePlan(page, "Growth");
  await chooseFeatures(page, ["Point of sale"]);
  await keepSettings(page);
  const own = page.getByLabel("Project URL");
  await expect(own).toBeHidden();
  await page.getByRole("radio", { name: "I have my own Supabase project" }).check();
  await fillProject(page, { ...project, databaseUrl: "postgresql://nobody" });
  await goOn(page, "backend");
  // What is no secret is there again; what is one is not.
  await expect(own).toHaveValue(project.url);
  await expect(page.getByRole("textbox", { name: "Service-role or secret key" })).toHaveValue("");
  await expect(page.getByRole("textbox", { name: "Database URL" })).toHaveValue("");
  expect(await page.content()).not.toContain(project.serviceRoleKey);
  await fillProject(page, project);
  await goOn(page, "review");
  await expect(page.getByText("Inventory (added: Point of sale needs it)")).toBeVisible();
  await submit(page);
  expect(await requestsOf(berth, ann)).toMatchObject([
    { features: ["base", "inventory", "pos"], backend: "offered", project_ref: project.ref },
  ]);
});

test("a zone goes by today's name, whatever the browser calls it", async ({ stranger }) => {
  for (const timezoneId of ["Asia/Calcutta", "Europe/Kyiv"]) {
    const { page } = await stranger({ timezoneId });
    await page.goto("/sign-up/business");
    const present = timezoneId.replace("Calcutta", "Kolkata");
    await expect(page.getByLabel("Time zone")).toHaveValue(present);
  }
});

test("no step can be skipped by its address", async ({ page }) => {
  for (const step of ["plan", "features", "settings", "backend", "review"]) {
    await page.goto(`/sign-up/${step}`);
    await expect(page).toHaveURL(/\/sign-up\/business$/);
  }
  await page.goto("/sign-up/business");
  await answerBusiness(page, newPerson());
  await page.goto("/sign-up/review");
  await expect(page).toHaveURL(/\/sign-up\/plan$/);
  await choosePlan(page, "Starter");
  await page.goto("/sign-up/backend");
  await expect(page).toHaveURL(/\/sign-up\/features$/);
  await chooseFeatures(page, []);
  await page.goto("/sign-up/review");
  await expect(page).toHaveURL(/\/sign-up\/settings$/);
  await keepSettings(page);
  await page.goto("/sign-up/review");
  await expect(page).toHaveURL(/\/sign-up\/backend$/);
});

test("a session that ends on the way leads to sign-in, and back to where one was", async ({
  page,
  berth,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Growth");
  await berth.sql(
    `delete from auth.session where user_id = (select id from auth."user" where email = $1)`,
    [ann.email],
  );
  await page.getByRole("button", { name: "Continue", exact: true }).click();
  await expect(page.getByText("You were signed out, or your session ended")).toBeVisible();
  await page.getByLabel("E-mail address").fill(ann.email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/sign-up\/features$/);
  await page.goto("/sign-up/business");
  await expect(page.getByLabel("Company")).toHaveValue(ann.company);
});

test("a form that is sent past the steps is led back, and changes nothing", async ({
  page,
  berth,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  const answer = await page.request.post("/sign-up/review", {
    headers: { origin: berth.url },
    form: { accept: "on", draftId: "x", version: "1" },
    maxRedirects: 0,
  });
  expect([302, 303]).toContain(answer.status());
  const features = await page.request.post("/sign-up/features", {
    headers: { origin: berth.url },
    form: { features: "pos" },
    maxRedirects: 0,
  });
  expect(features.headers().location).toBe("/sign-up/plan");
  expect(await requestsOf(berth, ann)).toEqual([]);
});

test("it goes on where it was left, on another device", async ({ page, stranger }) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Business");

  const { page: phone } = await stranger({ viewport: { width: 390, height: 844 } });
  await phone.goto("/sign-up/business");
  await phone.getByRole("link", { name: "Sign in and go on" }).click();
  // The page before has an address and a password, too.
  await expect(phone.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await phone.getByLabel(/e-?mail/i).fill(ann.email);
  await phone.getByLabel(/password/i).fill(PASSWORD);
  await phone.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(phone).toHaveURL(/\/sign-up\/features$/);
  await phone.getByRole("link", { name: "Plan" }).click();
  await expect(phone.getByRole("radio", { name: "Business" })).toBeChecked();
  await phone.getByRole("link", { name: "Business" }).click();
  await expect(phone.getByLabel("Company")).toHaveValue(ann.company);
  await expect(phone.getByText(`You are signed in as ${ann.name}, ${ann.email}`)).toBeVisible();
  await expect(phone.getByLabel("Password")).toHaveCount(0);

  // Who signs in without the wizard's link finds it as well.
  await phone.goto("/");
  await expect(phone.getByRole("link", { name: "Go on with your sign-up" })).toBeVisible();
  await phone.goto("/requests");
  await phone.getByRole("link", { name: `Go on with ${ann.company}, step 3 of 6` }).click();
  await expect(phone).toHaveURL(/\/sign-up\/features$/);
});

test("who signs up again with its password goes on; with another it is told little", async ({
  page,
  stranger,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Growth");

  const { page: other } = await stranger();
  await other.goto("/sign-up/business");
  await answerBusiness(
    other,
    { ...ann, company: unique("Elsewhere") },
    "another crane lantern",
    "business",
  );
  await expect(other.getByRole("alert")).toContainText(
    "This address cannot be used with this password.",
  );
  await expect(other.getByRole("link", { name: "have a link mailed to you" })).toHaveAttribute(
    "href",
    "/forgot-password",
  );
  await other.getByLabel("Password").fill(PASSWORD);
  await goOn(other, "features");
  // What was answered before stands; what was written now is not put over it.
  await other.getByRole("link", { name: "Business" }).click();
  await expect(other.getByLabel("Company")).toHaveValue(ann.company);
});

test("going back shows what was entered; a smaller plan drops what it lacks, and says so", async ({
  page,
}) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await answerBusiness(page, ann);
  await choosePlan(page, "Business");
  await chooseFeatures(page, ["Inventory", "Point of sale", "Analytics"]);
  await page.getByRole("link", { name: "Back" }).click();
  await expect(page.getByRole("checkbox", { name: "Analytics" })).toBeChecked();
  await page.goBack();
  await keepSettings(page);
  await letBerthCreate(page);

  await page.getByRole("link", { name: "Change plan" }).click();
  await expect(page.getByRole("radio", { name: "Business" })).toBeChecked();
  await page.getByRole("radio", { name: "Starter" }).check();
  await goOn(page, "features");
  await expect(
    page.getByText("Taken off: Point of sale, Analytics. Still chosen: Inventory."),
  ).toBeVisible();
  await expect(page.getByRole("checkbox", { name: "Inventory" })).toBeChecked();
  await goOn(page, "review");
  await expect(page.getByText("€29 / month")).toBeVisible();
  await expect(page.getByText("Berth creates it for you")).toBeVisible();

  await page.getByRole("link", { name: "Change your business" }).click();
  await page.getByLabel("Telephone").fill("+43 1 7654321");
  await goOn(page, "review");
  await expect(page.getByText("+43 1 7654321")).toBeVisible();
});

test("a double submit makes one request", async ({ page, context, berth }) => {
  const ann = newPerson();
  await answerAll(page, ann);
  const second = await context.newPage();
  await second.goto("/sign-up/review");
  const form = await page
    .locator("form[method=post]")
    .last()
    .evaluate((element) =>
      Object.fromEntries(
        [...new FormData(element as HTMLFormElement)].map(([k, v]) => [k, String(v)]),
      ),
    );
  for (const one of [page, second]) await one.getByRole("checkbox").check();
  await Promise.all([
    page.getByRole("button", { name: "Submit the request" }).dblclick(),
    second.getByRole("button", { name: "Submit the request" }).click(),
  ]);
  await page.waitForURL(/\/requests\//);
  await second.waitForURL(/\/requests\//);
  expect(page.url()).toBe(second.url());
  const again = await page.request.post("/sign-up/review", {
    headers: { origin: berth.url },
    form: { ...form, accept: "on" },
    maxRedirects: 0,
  });
  expect(again.headers().location).toBe(new URL(page.url()).pathname);
  expect(await requestsOf(berth, ann)).toHaveLength(1);
});

test("what was changed in another window is shown before it is submitted", async ({
  page,
  context,
  berth,
}) => {
  const ann = newPerson();
  await answerAll(page, ann);
  const second = await context.newPage();
  await second.goto("/sign-up/plan?change");
  await second.getByRole("radio", { name: "Enterprise" }).check();
  await goOn(second, "review");
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Submit the request" }).click();
  const notice = page.locator("[tabindex='-1']:focus");
  await expect(notice).toContainText("changed in another window");
  await expect(notice).toBeInViewport();
  await expect(page.getByRole("checkbox")).not.toBeChecked();
  expect(await requestsOf(berth, ann)).toEqual([]);
  await expect(page.getByText("Enterprise")).toBeVisible();
  await submit(page);
  expect(await requestsOf(berth, ann)).toMatchObject([{ plan_id: "enterprise" }]);
});

test("fields that a form does not have are ignored", async ({ page, berth }) => {
  const ann = newPerson();
  await page.goto("/sign-up/business");
  await page
    .locator("form[method=post]")
    .last()
    .evaluate((form) => {
      const forged = {
        role: "admin",
        status: "completed",
        assigneeId: "x",
        priority: "vip",
        userId: "x",
      };
      for (const [name, value] of Object.entries(forged)) {
        const input = Object.assign(document.createElement("input"), {
          type: "hidden",
          name,
          value,
        });
        form.append(input);
      }
    });
  await answerBusiness(page, ann);
  await choosePlan(page, "Growth");
  await chooseFeatures(page, []);
  await keepSettings(page);
  await letBerthCreate(page);
  await submit(page);
  expect(await requestsOf(berth, ann)).toMatchObject([
    { priority: "normal", status: "pending", assignee_id: null },
  ]);
  const staff = await berth.sql(
    `select 1 from admin_users a join auth."user" u on u.id = a.user_id where u.email = $1`,
    [ann.email],
  );
  expect(staff).toEqual([]);
});

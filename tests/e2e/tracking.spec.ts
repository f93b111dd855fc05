import { settled } from "../support/client.ts";
import { deafen, expect, hydrated, open, test, unique } from "./support/test.ts";

test("a customer cancels what nobody has begun", async ({
  newCustomer,
  asCustomer,
  mailTo,
  axe,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await open(page, "/requests");
  // With one request alone there is nothing to choose.
  await expect(page).toHaveURL(new RegExp(`/requests/${customer.requestId}$`));
  await axe(page);
  await page.getByRole("button", { name: "Cancel the request" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this request?" });
  await dialog.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/in line/);
  await page.getByRole("button", { name: "Cancel the request" }).press("Enter");
  await dialog.getByRole("button", { name: "Cancel the request" }).press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This request is cancelled.");
  await axe(page);
  await mailTo(customer.email, "is cancelled");
});

test("a cancellation that comes too late is refused, and the page says why", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  // Without its stream the page does not know.
  await deafen(page);
  await open(page, `/requests/${customer.requestId}`);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByRole("alert")).toContainText("One of us has begun to work");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "We are preparing your backend.",
  );
  await expect(page.getByRole("button", { name: "Cancel the request" })).toHaveCount(0);
});

test("without scripts the page can be read and the request cancelled", async ({
  newCustomer,
  asCustomer,
}) => {
  const customer = await newCustomer();
  const { context } = await asCustomer(customer);
  const cookies = await context.cookies();
  const plain = await context.browser()?.newContext({ javaScriptEnabled: false });
  if (!plain) throw new Error("No browser.");
  await plain.addCookies(cookies);
  const page = await plain.newPage();
  await page.goto(new URL(`/requests/${customer.requestId}`, context.pages()[0]?.url()).href);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/in line/);
  await page.getByRole("link", { name: "Reload it" }).click();
  // One press asks, in the words of the dialog; the way back leaves everything as it was.
  const cancel = page.getByRole("button", { name: "Cancel the request" });
  const question = page.getByRole("dialog", { name: "Cancel this request?" });
  await cancel.click();
  await expect(question).toBeInViewport({ ratio: 1 });
  await expect(question).toContainText("This cannot be undone");
  await question.getByRole("link", { name: "Not now" }).click();
  await expect(question).toHaveCount(0);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(/in line/);
  await cancel.click();
  await question.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This request is cancelled.");
  expect(new URL(page.url()).search).toBe("");
  await plain.close();
});

test("a press before the scripts are there asks, too, and they take the question over", async ({
  newCustomer,
  asCustomer,
  berth,
  axe,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  let letScriptsIn = () => {};
  const held = new Promise<void>((resolve) => {
    letScriptsIn = resolve;
  });
  await page.route("**/assets/**.js", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(`/requests/${customer.requestId}`, { waitUntil: "commit" });
  await page.getByRole("button", { name: "Cancel the request" }).click({ noWaitAfter: true });
  const question = page.getByRole("dialog", { name: "Cancel this request?" });
  await expect(question).toBeVisible();
  letScriptsIn();
  await hydrated(page);
  await expect(question).toBeFocused();
  await axe(page);
  await question.getByRole("link", { name: "Not now" }).click();
  await expect(question).toHaveCount(0);
  const { body } = await berth.api("GET", `/api/queue/${customer.requestId}`);
  expect(body.status).toBe("pending");
  // From here on, the dialog asks.
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await question.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This request is cancelled.");
});

test("the answer to an open question is taken once, however often it is pressed", async ({
  newCustomer,
  asCustomer,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer);
  await open(page, `/requests/${customer.requestId}?confirm=cancel`);
  let posts = 0;
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  await page.route("**/requests/**", async (route) => {
    if (route.request().method() === "POST") {
      posts += 1;
      await held;
    }
    await route.continue();
  });
  const question = page.getByRole("dialog", { name: "Cancel this request?" });
  await question.getByRole("button", { name: "Cancel the request" }).click();
  await question.getByRole("button", { name: "One moment …" }).click({ force: true });
  letThrough();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This request is cancelled.");
  await expect(page.getByRole("alert")).toHaveCount(0);
  expect(posts).toBe(1);
});

test("without scripts a press on what is no longer offered is answered", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const customer = await newCustomer();
  const { page } = await asCustomer(customer, { javaScriptEnabled: false });
  await page.goto(`/requests/${customer.requestId}`);
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  await page.getByRole("button", { name: "Cancel the request" }).click();
  await expect(page.getByText("This is no longer possible")).toBeInViewport();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const { body } = await berth.api("GET", `/api/queue/${customer.requestId}`);
  expect(body.status).toBe("in_progress");
});

test("a finished backend shows its address, what is in it, and what became of the link", async ({
  newCustomer,
  newProject,
  asCustomer,
  berth,
  mailTo,
  axe,
}) => {
  const customer = await newCustomer({ plan: "business", features: ["pos"] });
  const { page } = await asCustomer(customer);
  await page.goto(`/requests/${customer.requestId}`);
  const project = await newProject();
  await berth.api("POST", `/api/queue/${customer.requestId}/claim`);
  const { url, anonKey, serviceRoleKey, databaseUrl } = project;
  await berth.api("POST", `/api/queue/${customer.requestId}/credentials`, {
    url,
    anonKey,
    serviceRoleKey,
    databaseUrl,
  });
  await settled(berth.api, customer.requestId);
  // By itself, all the way.
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your backend is ready.", {
    timeout: 30_000,
  });
  const backend = page.getByRole("region", { name: "Your backend" });
  await expect(backend).toContainText(url);
  await expect(backend).toContainText(/Point of sale 1\.1\.0/i);
  await expect(backend).toContainText(/Inventory 1\.1\.0/i);
  const link = page.getByRole("region", { name: "Your link as the owner" });
  await mailTo(customer.email, "is ready");
  await page.reload();
  await expect(link).toContainText(/Mailed (today|yesterday) at/);
  await axe(page);
  await berth.sql(
    "update one_time_links set used_at = berth_now() where request_id = $1 and purpose = 'owner'",
    [customer.requestId],
  );
  await page.reload();
  await expect(link).toContainText(/Used (today|yesterday) at/);
  await berth.sql(
    `update one_time_links set used_at = null, expires_at = berth_now() - interval '1 minute'
     where request_id = $1 and purpose = 'owner'`,
    [customer.requestId],
  );
  await page.reload();
  await expect(link).toContainText("unused");
  // The words of the house are not the customer's.
  const text = (await page.locator("main").textContent()) ?? "";
  for (const word of ["migrating", "credentials_submitted", "admin@", "Demo admin"]) {
    expect(text).not.toContain(word);
  }
});

test("several requests are a list, and none leads to the sign-up", async ({
  newCustomer,
  asCustomer,
  as,
  axe,
}) => {
  const customer = await newCustomer();
  const second = unique("Second");
  await newCustomer({ company: second, email: customer.email });
  const { page } = await asCustomer(customer);
  await page.goto("/requests");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("My requests");
  await axe(page);
  await page.getByRole("link", { name: second }).click();
  await expect(page.getByText(`Backend for ${second}`)).toBeVisible();
  const { page: desk } = await as("operator");
  await desk.goto("/requests");
  await expect(desk.getByText("You have not asked for a backend yet")).toBeVisible();
});

test("more requests than a page holds are on the next one, each under its own name", async ({
  newCustomer,
  asCustomer,
  berth,
}) => {
  const company = unique("מאפייה (בע״מ)");
  const customer = await newCustomer({ company });
  // Ended ones, so that they take nobody's place: a request cannot be made like that but by force.
  await berth.sql(`
    do $$ begin
      perform set_config('session_replication_role', 'replica', true);
      insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, status, ended_at)
      select gen_random_uuid(), customer_id, plan_id, billing_cycle, region, features, priority, 'cancelled', now()
      from provisioning_queue, generate_series(1, 60) where id = '${customer.requestId}';
    end $$`);
  const { page } = await asCustomer(customer);
  await page.goto("/requests");
  const items = page.getByRole("main").getByRole("listitem");
  await expect(items).toHaveCount(50);
  await expect(items.first().locator("bdi")).toHaveText(company);
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(items).toHaveCount(11);
  await page.getByRole("link", { name: "First page" }).click();
  await expect(items).toHaveCount(50);
  await page.goto("/requests?cursor=00000000-0000-0000-0000-000000000000");
  await expect(items).toHaveCount(50);
});

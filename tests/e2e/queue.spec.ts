import type { Page } from "@playwright/test";
import { tabTo } from "./support/keyboard.ts";
import { deafen, expect, open, test, unique } from "./support/test.ts";

/** A word of its own for the companies of one test, and a list of these alone. */
const wordOf = (name: string) => name.split(" ").at(-1) ?? name;
const rowOf = (page: Page, company: string) =>
  page.getByRole("row").filter({ has: page.getByRole("link", { name: company, exact: true }) });
/** Company names, from the first row to the last. */
const order = (page: Page) => page.locator("[data-row-link]").allTextContents();

test("filters stand in the address, survive a reload, and go one by one", async ({
  as,
  newCustomer,
}) => {
  const name = unique("Filtered");
  await newCustomer({ company: `${name} One`, priority: "vip", region: "eu-north-1" });
  await newCustomer({ company: `${name} Two`, priority: "low" });
  const { page } = await as("admin");
  await open(page, "/desk/queue");
  await page.getByRole("searchbox").fill(name);
  await page.keyboard.press("Enter");
  await expect(rowOf(page, `${name} Two`)).toBeVisible();
  await page.getByText("Filters", { exact: true }).click();
  await page.getByLabel("Priority").selectOption({ label: "VIP" });
  await page.getByLabel("Region").selectOption("eu-north-1");
  await page.getByRole("button", { name: "Apply filters" }).click();
  await expect(rowOf(page, `${name} Two`)).toHaveCount(0);
  const address = new URL(page.url()).searchParams;
  expect(Object.fromEntries(address)).toEqual({ q: name, priority: "vip", region: "eu-north-1" });
  await page.reload();
  await expect(rowOf(page, `${name} One`)).toBeVisible();
  await expect(page.getByRole("searchbox")).toHaveValue(name);
  await page.getByRole("link", { name: "Remove the filter Priority: VIP" }).click();
  await expect(page).not.toHaveURL(/priority/);
  await open(page, `/desk/queue?q=${encodeURIComponent(name)}&priority=high`);
  await expect(page.getByText("No request matches these filters")).toBeVisible();
  await page.getByRole("link", { name: "Clear filters" }).last().click();
  await expect(page).toHaveURL(/\/desk\/queue\??$/);
});

test("an address that says nonsense still shows a list, and says what was left out", async ({
  as,
}) => {
  const { page } = await as("admin");
  await open(page, "/desk/queue?status=lost&cursor=x&due=never&q=%27)--");
  await expect(page.getByText("Part of this address means nothing here")).toBeVisible();
  for (const name of ["status", "cursor", "due", "q"]) {
    await expect(
      page.getByRole("listitem").filter({ hasText: new RegExp(`^${name} `) }),
    ).toBeVisible();
  }
});

test("a code that nothing goes by is a filter that is on, and matches nothing", async ({ as }) => {
  const { page } = await as("admin");
  await open(page, "/desk/queue?plan=none&assignee=zzz");
  await expect(page.getByText("No request matches these filters")).toBeVisible();
  await page.getByRole("link", { name: "Remove the filter Plan: none" }).click();
  await expect(page).toHaveURL(/queue\?assignee=zzz$/);
});

test("names stay readable, and no window is too narrow for the page", async ({
  as,
  newCustomer,
}) => {
  const name = unique("Wide Enough");
  await newCustomer({ company: name });
  const { page } = await as("admin");
  await open(page, `/desk/queue?q=${encodeURIComponent(name)}`);
  for (const width of [390, 1024, 1100, 1280, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const link = page.getByRole("link", { name, exact: true });
    expect((await link.boundingBox())?.width, `${width} px`).toBeGreaterThan(100);
    const over = () => document.documentElement.scrollWidth - innerWidth;
    expect(await page.evaluate(over), `${width} px`).toBeLessThanOrEqual(0);
  }
});

test("without scripts it filters, and a row is claimed", async ({ as, newCustomer }) => {
  const name = unique("Scriptless");
  const { requestId } = await newCustomer({ company: name, priority: "high" });
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(`/desk/queue?q=${encodeURIComponent(name)}`);
  await page.getByText("Filters", { exact: true }).click();
  await page.getByLabel("Priority").selectOption({ label: "High" });
  await page.getByRole("button", { name: "Apply filters" }).click();
  await expect(page).toHaveURL(/priority=high/);
  await page.getByRole("button", { name: `Claim ${name}` }).click();
  await expect(page).toHaveURL(new RegExp(`/desk/requests/${requestId}$`));
});

test("a row is reached and claimed by the keyboard alone", async ({ as, newCustomer, axe }) => {
  const name = unique("Keyed");
  const made = [];
  for (const end of ["One", "Two"]) made.push(await newCustomer({ company: `${name} ${end}` }));
  const { page } = await as("admin");
  await open(page, `/desk/queue?q=${encodeURIComponent(name)}`);
  await expect(page.locator("[data-live=live]")).toBeVisible();
  await axe(page);
  await page.getByRole("searchbox").focus();
  const first = page.getByRole("link", { name: `${name} One`, exact: true });
  await tabTo(page, first);
  await page.keyboard.press("j");
  await expect(page.getByRole("link", { name: `${name} Two`, exact: true })).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(first).toBeFocused();
  await page.keyboard.press("j");
  await page.keyboard.press("Tab");
  // When it is due exactly floats over the table, and Escape takes it away.
  await expect(page.getByRole("tooltip")).toContainText("Due ");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("tooltip")).toHaveCount(0);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: `Claim ${name} Two` })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`/desk/requests/${made[1]?.requestId}$`));
});

test("the loser of a claim in the list is told who won, and the list is brought up to date", async ({
  as,
  newCustomer,
}) => {
  const name = unique("Raced");
  const { requestId } = await newCustomer({ company: name });
  const [{ page: winner }, { page: loser }] = [await as("admin"), await as("operator")];
  await deafen(loser);
  for (const page of [winner, loser]) await open(page, `/desk/queue?q=${encodeURIComponent(name)}`);
  const claim = (page: Page) => page.getByRole("button", { name: `Claim ${name}` });
  await expect(claim(loser)).toBeVisible();
  await claim(winner).click();
  await expect(winner).toHaveURL(new RegExp(requestId));
  await claim(loser).click();
  const told = loser.getByRole("alert");
  await expect(told).toContainText("Demo Admin has claimed this request.");
  await expect(told.getByRole("time").or(told.locator("time"))).toBeVisible();
  await expect(rowOf(loser, name)).toContainText("In progress");
  await expect(rowOf(loser, name)).toContainText("Demo Admin");
});

test("the row under the pointer does not move, whatever happens to the queue", async ({
  as,
  newCustomer,
  berth,
}) => {
  const name = unique("Still");
  const first = await newCustomer({ company: `${name} A` });
  await newCustomer({ company: `${name} B` });
  const { page } = await as("supervisor");
  await open(page, `/desk/queue?q=${encodeURIComponent(name)}`);
  await expect(page.locator("[data-live=live]")).toBeVisible();
  const link = page.getByRole("link", { name: `${name} B`, exact: true });
  await link.hover();
  const before = await rowOf(page, `${name} B`).boundingBox();

  await newCustomer({ company: `${name} C`, priority: "vip" });
  const show = page.getByRole("button", { name: /change.* show/ });
  await expect(show).toHaveText("1 change — show");
  await berth.api("POST", `/api/queue/${first.requestId}/claim`);
  await expect(rowOf(page, `${name} A`)).toContainText("In progress");
  await berth.api("POST", `/api/queue/${first.requestId}/cancel`);
  await expect(rowOf(page, `${name} A`)).toContainText("No longer in this list");
  await expect(show).toHaveText("2 changes — show");
  expect(await order(page)).toEqual([`${name} A`, `${name} B`]);
  expect(await rowOf(page, `${name} B`).boundingBox()).toEqual(before);

  await page.mouse.move(5, 5);
  await expect(show).toHaveCount(0);
  await expect.poll(() => order(page)).toEqual([`${name} C`, `${name} B`]);

  // Focus holds it as the pointer does; the button shows what is new.
  await page.getByRole("link", { name: `${name} B`, exact: true }).focus();
  await newCustomer({ company: `${name} D`, priority: "vip" });
  await expect(show).toHaveText("1 change — show");
  expect(await order(page)).toEqual([`${name} C`, `${name} B`]);
  await show.press("Enter");
  await expect.poll(() => order(page)).toEqual([`${name} C`, `${name} D`, `${name} B`]);
});

test("counts lead to their lists", async ({ as, newCustomer, berth }) => {
  const { page } = await as("admin");
  const { requestId, company } = await newCustomer();
  await berth.sql(
    "update provisioning_queue set due_at = berth_now() - interval '1 hour', version = version + 1 where id = $1",
    [requestId],
  );
  await open(page, "/desk/queue");
  await page.getByRole("list", { name: "Now" }).getByRole("link", { name: /late/ }).click();
  await expect(page).toHaveURL(/due=late/);
  await expect(rowOf(page, company)).toContainText("late");
  await berth.api("POST", `/api/queue/${requestId}/claim`);
  await berth.api("POST", `/api/queue/${requestId}/cancel`);
  await open(page, "/desk/queue?status=cancelled");
  await expect(rowOf(page, company)).toContainText("Cancelled");
});

test("pages lead to the next and back", async ({ as, newCustomer, berth }) => {
  const name = unique("Paged");
  const { requestId } = await newCustomer({ company: `${name} 00` });
  // Two more than a page holds, as copies of the first: due one minute after the other.
  await berth.sql(
    `with people as (
       insert into customers (id, user_id, company, contact_name, email, country, timezone)
       select gen_random_uuid(), c.user_id, $2 || ' ' || lpad(n::text, 2, '0'), c.contact_name, c.email,
         c.country, c.timezone
       from provisioning_queue q join customers c on c.id = q.customer_id, generate_series(1, 51) n
       where q.id = $1 returning id, company)
     insert into provisioning_queue (id, customer_id, plan_id, billing_cycle, region, features, priority, due_at)
     select gen_random_uuid(), p.id, q.plan_id, q.billing_cycle, q.region, q.features, q.priority,
       q.due_at + right(p.company, 2)::int * interval '1 minute'
     from provisioning_queue q, people p where q.id = $1`,
    [requestId, name],
  );
  const { page } = await as("admin");
  await open(page, `/desk/queue?q=${encodeURIComponent(name)}`);
  const all = Array.from({ length: 52 }, (_, n) => `${name} ${String(n).padStart(2, "0")}`);
  await expect.poll(() => order(page)).toEqual(all.slice(0, 50));
  await page.getByRole("link", { name: "Next page" }).click();
  await expect.poll(() => order(page)).toEqual(all.slice(50));
  await page.getByRole("link", { name: "Previous page" }).click();
  await expect.poll(() => order(page)).toEqual(all.slice(0, 50));
  await berth.sql(
    `delete from provisioning_queue where id <> $1
       and customer_id in (select id from customers where company like $2 || ' %')`,
    [requestId, name],
  );
});

test("at 390 px it is a list that never scrolls sideways", async ({ as, newCustomer, axe }) => {
  const { company } = await newCustomer({
    company: unique("A company whose name is far too long for any telephone"),
  });
  const { page } = await as("admin", { viewport: { width: 390, height: 844 } });
  await open(page, `/desk/queue?q=${encodeURIComponent(wordOf(company))}`);
  await expect(rowOf(page, company)).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.getByText("Filters", { exact: true }).click();
  await expect(page.getByLabel("Assignee")).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await axe(page);
});

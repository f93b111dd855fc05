import { expect, hydrated, test } from "./support/test.ts";

test("finds what happened to a request, by whom, and shows everything that is recorded of it", async ({
  as,
  newCustomer,
  axe,
}) => {
  const { requestId, company } = await newCustomer();
  const { page } = await as("admin");
  await page.goto("/desk/audit");
  await hydrated(page);
  await page.getByLabel("Request’s id").fill(requestId);
  await page.getByLabel("Act begins with").fill("request.");
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(new RegExp(`request=${requestId}`));
  const rows = page.getByRole("row").filter({ hasText: "sent a request" });
  await expect(rows).toHaveCount(1);
  await expect(rows.getByRole("link", { name: company })).toHaveAttribute(
    "href",
    `/desk/requests/${requestId}`,
  );
  await expect(rows).toContainText("by API key");
  await expect(rows).toContainText("request.received");
  await rows.locator("summary").click();
  await expect(rows).toContainText("correlation");
  await expect(rows).toContainText('["base"');
  await axe(page);
});

test("narrows by person and by day, in its address, and says what it left out", async ({
  as,
  berth,
}) => {
  const { page } = await as("supervisor");
  const email = berth.info.accounts.find(({ role }) => role === "supervisor")?.email ?? "";
  await page.goto("/desk/audit");
  await hydrated(page);
  await page.getByLabel("Who: e-mail, id or machine").fill(email);
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/who=supervisor/);
  await expect(page.getByText("signed in").first()).toBeVisible();
  await expect(page.getByText("(machine)")).toHaveCount(0);
  // The address changes a moment before the list does.
  const names = page.getByRole("row").locator("td:nth-child(2)");
  await expect
    .poll(async () => [...new Set(await names.allTextContents())])
    .toEqual(["Demo Supervisor"]);

  await page.goto(`/desk/audit?who=${encodeURIComponent(email)}&from=2999-01-01`);
  await expect(page.getByText("Nothing fits")).toBeVisible();
  await page.goto("/desk/audit?from=yesterday&cursor=-1&request=1");
  for (const name of ["from", "cursor", "request"]) {
    await expect(
      page.getByRole("listitem").filter({ hasText: new RegExp(`^${name} `) }),
    ).toBeVisible();
  }
});

test("is read page by page", async ({ as, berth }) => {
  await berth.sql(
    `insert into audit_log (actor_kind, actor_id, action, subject_kind, subject_id)
     select 'worker', 'pager', 'pager.turned', 'page', n::text from generate_series(1, 60) n
     where not exists (select from audit_log where actor_id = 'pager')`,
  );
  const { page } = await as("admin");
  await page.goto("/desk/audit?who=pager");
  await expect(page.getByText("pager turned")).toHaveCount(50);
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(page.getByText("pager turned")).toHaveCount(10);
  await expect(page).toHaveURL(/who=pager/);
  await page.getByRole("link", { name: "First page" }).click();
  await expect(page.getByText("pager turned")).toHaveCount(50);
});

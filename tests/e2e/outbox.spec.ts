import { expect, hydrated, open, test } from "./support/test.ts";

test("a mail that Berth gave up on is sent again, and arrives", async ({
  as,
  newCustomer,
  mailTo,
  berth,
  axe,
}) => {
  const { email, requestId } = await newCustomer();
  await mailTo(email, "We have your request");
  await berth.sql(
    `update outbox set status = 'dead', sent_at = null, attempts = 30, last_error = 'The mail server refused the address.'
     where request_id = $1 and kind = 'received'`,
    [requestId],
  );
  const { page } = await as("admin");
  await page.goto("/desk/outbox");
  await hydrated(page);
  await page.getByRole("link", { name: "See why, and send again" }).click();
  await expect(page).toHaveURL(/status=dead/);
  // The fields begin anew with the new list, a moment after the address.
  await expect(page.getByLabel("State")).toHaveValue("dead");
  await page.getByLabel("Address begins with").fill(email.slice(0, 20));
  await page.getByRole("button", { name: "Apply" }).click();
  await expect(page).toHaveURL(/to=customer/);
  const row = page.getByRole("row", { name: email });
  await expect(row).toContainText("The mail server refused the address.");
  await axe(page);
  await row.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByText("The mail is on its way again")).toBeVisible();
  await expect
    .poll(
      async () => {
        const rows = await berth.sql(
          "select status, last_error from outbox where request_id = $1 and kind = 'received'",
          [requestId],
        );
        return rows[0];
      },
      { timeout: 60_000 },
    )
    .toEqual({ status: "sent", last_error: null });
  await page.goto(`/desk/audit?action=mail.resend&request=${requestId}`);
  await expect(page.getByText("sent a mail again")).toBeVisible();
});

test("a mail that was sent goes out as a copy, after a question, and not twice in a row", async ({
  as,
  newCustomer,
  mailTo,
  berth,
}) => {
  const { email, requestId } = await newCustomer();
  const first = await mailTo(email, "We have your request");
  const { page } = await as("operator");
  await page.goto(`/desk/outbox?to=${encodeURIComponent(email)}`);
  const ask = async () => {
    await hydrated(page);
    await page
      .getByRole("button", { name: `Send again to ${email}` })
      .last()
      .click();
    await page.getByRole("dialog").getByRole("button", { name: "Send a copy" }).click();
  };
  await ask();
  await expect(page.getByText("A copy is on its way")).toBeVisible();
  await expect
    .poll(
      async () =>
        (
          await berth.sql(
            "select 1 from outbox where request_id = $1 and kind = 'received' and status = 'sent'",
            [requestId],
          )
        ).length,
      { timeout: 30_000 },
    )
    .toBe(2);
  await page.reload();
  await expect(page.getByText("(sent again)")).toBeVisible();
  await ask();
  await expect(page.getByRole("alert")).toContainText("sent again a moment ago");
  expect(first.links.some((url) => url.includes("/account/password"))).toBe(true);
});

test("without scripts a copy goes out after its question alone, and the filters stay", async ({
  as,
  newCustomer,
  mailTo,
  berth,
}) => {
  const { email, requestId } = await newCustomer();
  await mailTo(email, "We have your request");
  const copies = async () =>
    (await berth.sql("select 1 from outbox where request_id = $1", [requestId])).length;
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(`/desk/outbox?to=${encodeURIComponent(email)}`);
  await page.getByRole("button", { name: `Send again to ${email}` }).click();
  await expect(page.getByRole("dialog")).toContainText("It has arrived once already");
  expect(await copies()).toBe(1);
  await page.getByRole("dialog").getByRole("button", { name: "Send a copy" }).click();
  await expect(page.getByText("A copy is on its way")).toBeVisible();
  expect(new URL(page.url()).searchParams.get("to")).toBe(email);
  expect(await copies()).toBe(2);
});

test("a mail that arrived since the page was opened goes out again after a question", async ({
  as,
  newCustomer,
  mailTo,
  berth,
  axe,
}) => {
  const { email, requestId } = await newCustomer();
  await mailTo(email, "We have your request");
  const set = (columns: string) =>
    berth.sql(`update outbox set ${columns} where request_id = $1`, [requestId]);
  await set("status = 'dead', sent_at = null, attempts = 30, last_error = 'Refused.'");
  const { page } = await as("admin");
  await open(page, "/desk/outbox?status=dead");
  await set("status = 'sent', sent_at = now(), last_error = null");
  // Behind newer ones, more than the list of all has on its first page.
  await berth.sql(
    `insert into outbox (id, kind, recipient, status, created_at, sent_at)
     select (left(id::text, 24) || lpad(n::text, 12, 'f'))::uuid, 'password',
       'crowd@berth.example', 'sent', now(), now()
     from outbox, generate_series(1, 60) n where request_id = $1`,
    [requestId],
  );
  await page.getByRole("button", { name: `Send again to ${email}` }).click();
  await expect(page.getByRole("dialog")).toContainText("It has arrived once already");
  await expect(page.getByRole("dialog")).toBeFocused();
  await axe(page);
  await page.getByRole("dialog").getByRole("link", { name: "Not now" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: `Send again to ${email}` })).toBeVisible();
  const mails = await berth.sql("select 1 from outbox where request_id = $1", [requestId]);
  expect(mails).toHaveLength(1);
});

test("names what it did not understand of an address, and has words for nothing", async ({
  as,
  axe,
}) => {
  const { page } = await as("admin");
  const answer = await page.goto("/desk/outbox?status=lost&cursor=x&to=nobody-at-all@example.com");
  expect(answer?.status()).toBe(200);
  for (const name of ["status", "cursor"]) {
    await expect(
      page.getByRole("listitem").filter({ hasText: new RegExp(`^${name} `) }),
    ).toBeVisible();
  }
  await expect(page.getByText("No mail fits")).toBeVisible();
  await axe(page);
  await page.getByRole("link", { name: "Show all" }).click();
  await expect(page).toHaveURL(/\/desk\/outbox$/);
});

/** The desk's page for credentials: every way in which they can be wrong, and the way in which they hold. */
import type { Locator, Page } from "@playwright/test";
import { credentialsOf, eventually, type SandboxProject, settled } from "../support/client.ts";
import { type Berth, deafen, expect, open, test } from "./support/test.ts";

type Values = ReturnType<typeof credentialsOf>;

const LABELS: Record<keyof Values, string> = {
  url: "Project URL",
  anonKey: "Anon or publishable key",
  serviceRoleKey: "Service-role or secret key",
  databaseUrl: "Database URL",
};
const pageOf = (requestId: string) => `/desk/requests/${requestId}/credentials`;
const button = (page: Page, name: "Test" | "Submit" | "Start the run" | "Test and plan") =>
  page.getByRole("button", { name, exact: true });
/** The lines hold and the plan is made, which takes a database server its time. */
const expectPlanned = (page: Page) =>
  expect(button(page, "Start the run")).toBeEnabled({ timeout: 60_000 });
const line = (page: Page, name: string) => page.locator(`[data-line="${name}"]`);
const field = (page: Page, name: keyof Values) => page.getByLabel(LABELS[name], { exact: true });

async function paste(page: Page, values: Partial<Values>): Promise<void> {
  for (const [name, value] of Object.entries(values)) {
    await field(page, name as keyof Values).fill(value);
  }
}

async function claim(berth: Berth, requestId: string): Promise<void> {
  expect((await berth.api("POST", `/api/queue/${requestId}/claim`)).status).toBe(200);
}

/** The field's own words about what is wrong with it. */
async function errorOf(page: Page, name: keyof Values): Promise<Locator> {
  await expect(field(page, name)).toHaveAttribute("aria-invalid", "true");
  await expect(field(page, name)).toHaveAttribute("aria-describedby", new RegExp(`${name}-error`));
  return page.locator(`#${name}-error`);
}

/** Nothing that was pasted as a secret stands in the page or in its address. */
async function expectNoSecret(page: Page, values: Values): Promise<void> {
  const html = await page.content();
  const password = decodeURIComponent(new URL(values.databaseUrl).password);
  for (const secret of [values.serviceRoleKey, values.databaseUrl, password, values.anonKey]) {
    expect(html).not.toContain(secret);
    expect(page.url()).not.toContain(secret);
  }
}

test("lines arrive one by one, and a run can be started only while all of them hold", async ({
  as,
  berth,
  sandbox,
  newCustomer,
  newProject,
  axe,
}) => {
  const { requestId, company } = await newCustomer();
  const project = await newProject();
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expect(page.getByText(company).first()).toBeVisible();
  await expect(button(page, "Start the run")).toHaveCount(0);
  await expect(page.locator("[data-line]")).toHaveCount(15);
  await axe(page);

  // Its database takes its time, so that the lines about the gateway are known long before.
  const slow = { kind: "delay", ref: project.ref, route: "database", ms: 6_000, times: 1 };
  await sandbox.addFault(slow);
  await paste(page, credentialsOf(project));
  await button(page, "Test").click();
  await expect(line(page, "anon-key")).toHaveAttribute("data-state", "holds");
  await expect(line(page, "database-login")).toHaveAttribute("data-state", "testing");
  await expect(page.getByText(/Testing: \d+ of 15 lines known/)).toBeVisible();
  await expect(button(page, "Start the run")).toHaveCount(0);
  await expect(page.getByText("All 15 lines hold.", { exact: true })).toBeVisible();
  await expect(page.locator('[data-line][data-state="holds"]')).toHaveCount(15);
  await expectPlanned(page);

  // Any change closes it again, even one that is taken back: only a test opens it.
  await field(page, "anonKey").fill(project.publishableKey);
  await expect(button(page, "Start the run")).toHaveCount(0);
  await field(page, "anonKey").fill(project.anonKey);
  await expect(button(page, "Start the run")).toHaveCount(0);
  await button(page, "Test").click();
  await expectPlanned(page);

  await expectNoSecret(page, credentialsOf(project));
  await button(page, "Start the run").click();
  await page.waitForURL(`**/desk/requests/${requestId}/run`);
  await expectNoSecret(page, credentialsOf(project));
  await settled(berth.api, requestId);

  await open(page, pageOf(requestId));
  await expect(page.getByRole("heading", { name: "The credentials are in" })).toBeVisible();
  const sealed = page.getByRole("definition").filter({ hasText: project.serviceRoleKey.slice(-4) });
  await expect(sealed.first()).toContainText(/fingerprint\s*[0-9a-f]{12}/);
  await expectNoSecret(page, credentialsOf(project));
  await axe(page);
});

/** A way of being wrong: what is pasted instead, which line says so, and beside which field. */
interface Wrong {
  what: string;
  paste(mine: SandboxProject, other: SandboxProject): Partial<Values>;
  line: string;
  field: keyof Values;
  says: RegExp;
}

const WRONG: Wrong[] = [
  {
    what: "the keys are swapped",
    paste: (mine) => ({ anonKey: mine.serviceRoleKey, serviceRoleKey: mine.anonKey }),
    line: "keys-not-swapped",
    field: "anonKey",
    says: /two keys are swapped\. Exchange the two keys/,
  },
  {
    what: "a publishable key stands in the field for the secret one",
    paste: (mine) => ({ serviceRoleKey: mine.publishableKey }),
    line: "keys-not-swapped",
    field: "serviceRoleKey",
    says: /publishable key in the field for the service-role key/,
  },
  {
    what: "the anon key is another project's",
    paste: (_, other) => ({ anonKey: other.anonKey }),
    line: "anon-key",
    field: "anonKey",
    says: /Copy/,
  },
  {
    what: "the secret key is another project's",
    paste: (_, other) => ({ serviceRoleKey: other.secretKey }),
    line: "service-role-key",
    field: "serviceRoleKey",
    says: /Copy/,
  },
  {
    what: "the database is another project's",
    paste: (_, other) => ({ databaseUrl: other.databaseUrl }),
    line: "same-project",
    field: "url",
    says: /from one and the same project/,
  },
  {
    what: "the port is the transaction pooler's",
    paste: (mine) => ({ databaseUrl: withParts(mine.databaseUrl, { port: "6543" }) }),
    line: "not-transaction-pooler",
    field: "databaseUrl",
    says: /6543 is the transaction pooler\. Copy the session pooler/,
  },
  {
    what: "the password is wrong",
    paste: (mine) => ({ databaseUrl: withParts(mine.databaseUrl, { password: "not-the-one-7" }) }),
    line: "database-login",
    field: "databaseUrl",
    says: /password/,
  },
  {
    what: "a key is no key",
    paste: () => ({ anonKey: "good morning" }),
    line: "anon-key",
    field: "anonKey",
    says: /not a Supabase key/,
  },
  {
    what: "the database URL is none",
    paste: () => ({ databaseUrl: "host=db user=postgres" }),
    line: "database-url",
    field: "databaseUrl",
    says: /./,
  },
  {
    what: "the database is at a private address",
    paste: (mine) => ({ databaseUrl: withParts(mine.databaseUrl, { host: "10.0.0.5:5432" }) }),
    line: "database-url",
    field: "databaseUrl",
    says: /./,
  },
  ...[
    "http://127.1",
    "http://0x7f000001",
    "http://192.168.0.7",
    "http://[fd00::1]",
    "http://169.254.169.254/latest",
    "https://example.com",
    "https://evil.example#.supabase.co",
    "not an address",
  ].map(
    (url): Wrong => ({
      what: `the URL is ${url}`,
      paste: () => ({ url }),
      line: "url",
      field: "url",
      says: /./,
    }),
  ),
];

function withParts(databaseUrl: string, parts: Partial<Pick<URL, "port" | "password" | "host">>) {
  return Object.assign(new URL(databaseUrl), parts).href;
}

test("each wrong value is told beside its field, with what to do, and closes the way", async ({
  as,
  berth,
  newCustomer,
  newProject,
  axe,
}) => {
  const { requestId } = await newCustomer();
  const [mine, other] = [await newProject(), await newProject()];
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  for (const wrong of WRONG) {
    await test.step(wrong.what, async () => {
      const values = { ...credentialsOf(mine), ...wrong.paste(mine, other) };
      await paste(page, values);
      await button(page, "Test").click();
      await expect(line(page, wrong.line)).toHaveAttribute("data-state", "fails");
      await expect(line(page, wrong.line)).toContainText("What to do");
      await expect(page.getByText(/of 15 lines do(es)? not hold/)).toBeVisible();
      await expect(await errorOf(page, wrong.field)).toContainText(wrong.says);
      const summary = page.getByRole("alert").filter({ hasText: "There is a problem" });
      await expect(summary.locator(`a[href="#${wrong.field}"]`).first()).toBeVisible();
      await expect(button(page, "Start the run")).toHaveCount(0);
      await expectNoSecret(page, credentialsOf(mine));
    });
  }
  await axe(page);
  // The request is as it was, and nothing was kept.
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(body).toMatchObject({ status: "in_progress", backend: null, run: null });
});

test("values that are missing, or far too long, are told before anything is tried", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const project = await newProject();
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await button(page, "Test").click();
  for (const name of Object.keys(LABELS) as (keyof Values)[]) {
    await expect(await errorOf(page, name)).toContainText("Paste the ");
  }
  await expect(page.locator('[data-line][data-state="waiting"]')).toHaveCount(15);

  await paste(page, { ...credentialsOf(project), url: `https://${"a".repeat(2_100)}.supabase.co` });
  await button(page, "Test").click();
  await expect(await errorOf(page, "url")).toContainText("far too long to be right");
  await expect(field(page, "anonKey")).not.toHaveAttribute("aria-invalid");

  await paste(page, { url: project.url, serviceRoleKey: "x".repeat(20_000) });
  await button(page, "Test").click();
  await expect(await errorOf(page, "serviceRoleKey")).toContainText("far too long to be right");

  await paste(page, { serviceRoleKey: "x".repeat(140_000) });
  await button(page, "Test").click();
  await expect(page.getByRole("alert")).toContainText("far longer than any project’s");
  await expect(button(page, "Start the run")).toHaveCount(0);
});

test("a project that is paused, filled by others, or in use by another backend is refused", async ({
  as,
  berth,
  sandbox,
  newCustomer,
  newProject,
}) => {
  const [first, second] = [await newCustomer(), await newCustomer()];
  const [used, paused] = [await newProject(), await newProject()];
  await claim(berth, first.requestId);
  await claim(berth, second.requestId);
  const taken = `/api/queue/${first.requestId}/credentials`;
  expect((await berth.api("POST", taken, credentialsOf(used))).status).toBe(200);
  const { page } = await as("admin");
  await open(page, pageOf(second.requestId));
  await paste(page, credentialsOf(used));
  await button(page, "Test").click();
  await expect(line(page, "not-in-use")).toHaveAttribute("data-state", "fails");
  await expect(await errorOf(page, "url")).toContainText(
    /another customer's backend already uses/i,
  );

  const stop = await fetch(`${berth.info.supabase.managementUrl}/projects/${paused.ref}/pause`, {
    method: "POST",
    redirect: "manual",
  });
  expect(stop.status).toBe(303);
  await eventually("the project to be paused", async () => {
    const { body } = await sandbox.call("GET", `/sandbox/projects/${paused.ref}`);
    return body.status === "INACTIVE";
  });
  await paste(page, credentialsOf(paused));
  await button(page, "Test").click();
  await expect(line(page, "project-reachable")).toHaveAttribute("data-state", "fails");
  await expect(line(page, "anon-key")).toHaveAttribute("data-state", "unchecked");
  await expect(await errorOf(page, "url")).toBeVisible();
  await expect(button(page, "Start the run")).toHaveCount(0);
});

test("only whoever holds the request may supply credentials, or a supervisor", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const project = await newProject();
  const { page: operator } = await as("operator");
  await operator.goto(pageOf(requestId));
  await expect(operator.getByText("Nobody has claimed this request")).toBeVisible();
  await claim(berth, requestId);
  await operator.reload();
  await expect(operator.getByText("Demo Admin has this request")).toBeVisible();
  await expect(button(operator, "Test")).toHaveCount(0);
  // A form that is sent all the same is refused, and repeats nothing.
  const sent = await operator.request.post(pageOf(requestId), {
    form: { intent: "submit", ...credentialsOf(project) },
    headers: { origin: berth.url },
  });
  expect(sent.status()).toBe(409);
  const said = await sent.text();
  expect(said).toContain("Demo Admin has claimed this request.");
  expect(said).not.toContain(project.serviceRoleKey);
  const checked = await operator.request.post(`${pageOf(requestId)}/check`, {
    form: credentialsOf(project),
    headers: { origin: berth.url },
  });
  expect(await checked.text()).toContain("request_held");
  // Nor is one that another site's page sends in a member's name.
  for (const path of [pageOf(requestId), `${pageOf(requestId)}/check`]) {
    const foreign = await operator.request.post(path, {
      form: { intent: "test", ...credentialsOf(project) },
      headers: { origin: "https://evil.example" },
    });
    expect(foreign.status()).toBe(403);
  }

  const { page: supervisor } = await as("supervisor");
  await open(supervisor, pageOf(requestId));
  await expect(supervisor.getByText("Demo Admin has claimed this request.")).toBeVisible();
  await paste(supervisor, credentialsOf(project));
  await button(supervisor, "Test").click();
  await expectPlanned(supervisor);
});

test("a claim that has ended is told, and can be made again on the spot", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const project = await newProject();
  await claim(berth, requestId);
  const { context, page } = await as("admin");
  // Otherwise the worker, which ends such claims too, may take the form away before the press.
  await deafen(context);
  await open(page, pageOf(requestId));
  await paste(page, credentialsOf(project));
  await berth.sql(
    `update provisioning_queue set version = version + 1,
       lease_expires_at = berth_now() - interval '1 minute' where id = $1`,
    [requestId],
  );
  await button(page, "Test").click();
  await expect(
    page.getByText(/claim (on this request )?has ended|Nobody has claimed this request/).first(),
  ).toBeVisible();
  await expect(line(page, "url")).not.toHaveAttribute("data-state", "holds");
  await page.reload();
  await page.getByRole("button", { name: "Claim this request" }).click();
  await expect(button(page, "Test")).toBeVisible();
  await paste(page, credentialsOf(project));
  await button(page, "Test").click();
  await expectPlanned(page);
});

test("who submits after somebody else did is told so, and nothing is done twice", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const [mine, theirs] = [await newProject(), await newProject()];
  await claim(berth, requestId);
  const { context, page } = await as("admin");
  // A page that hears of nothing: otherwise it shows at once what the other one did.
  await deafen(context);
  await open(page, pageOf(requestId));
  await paste(page, credentialsOf(mine));
  await button(page, "Test").click();
  await expectPlanned(page);
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(theirs))).status).toBe(200);
  await button(page, "Start the run").click();
  await expect(page.getByRole("alert")).toContainText("so you cannot supply credentials for it");
  await expect(page.getByRole("heading", { name: "The credentials are in" })).toBeVisible();
  await expect(page.getByText(theirs.ref, { exact: true })).toBeVisible();
  await expectNoSecret(page, credentialsOf(mine));
  const runs = await berth.sql("select id from provisioning_runs where request_id = $1", [
    requestId,
  ]);
  expect(runs).toHaveLength(1);
});

test("a page that watches shows by itself that somebody else supplied credentials", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const project = await newProject();
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expect(button(page, "Test")).toBeVisible();
  const path = `/api/queue/${requestId}/credentials`;
  expect((await berth.api("POST", path, credentialsOf(project))).status).toBe(200);
  await expect(page.getByRole("heading", { name: "The credentials are in" })).toBeVisible();
});

test("a customer's own project is taken up without pasting, and its customer told what to mend", async ({
  as,
  berth,
  newCustomer,
  newProject,
  mailTo,
}) => {
  const project = await newProject();
  const { requestId, email } = await newCustomer({ backend: credentialsOf(project) });
  // It held when the customer gave it; since then somebody has changed the password.
  const { managementUrl, accessToken } = berth.info.supabase;
  const changed = await fetch(`${managementUrl}/v1/projects/${project.ref}/database/password`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
    body: JSON.stringify({ password: "another-one-of-theirs-31" }),
  });
  expect(changed.status).toBe(200);
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expect(page.getByRole("heading", { name: "The customer’s own project" })).toBeVisible();
  await button(page, "Test and plan").click();
  await expect(page.getByRole("alert")).toContainText("cannot be used as they are");
  await expect(line(page, "database-login").first()).toHaveAttribute("data-state", "fails");
  await expect(page.getByText("This request waits on the customer.")).toBeVisible();
  await mailTo(email, "project");
  await expectNoSecret(page, credentialsOf(project));

  // Another project's credentials open the way again.
  const another = await newProject();
  await page.getByText("Use the credentials of another project").click();
  await paste(page, credentialsOf(another));
  await button(page, "Test").click();
  await expectPlanned(page);
  await button(page, "Start the run").click();
  await page.waitForURL(`**/desk/requests/${requestId}/run`);
});

test("a customer's own project that holds is planned, and started as planned", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const project = await newProject();
  const { requestId } = await newCustomer({ backend: credentialsOf(project) });
  await claim(berth, requestId);
  const { page } = await as("admin");
  await open(page, pageOf(requestId));
  await expectNoSecret(page, credentialsOf(project));
  await button(page, "Test and plan").click();
  await expect(page.getByRole("heading", { name: "The plan" })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/on a fresh PostgreSQL \d+/)).toBeVisible();
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(body).toMatchObject({ status: "in_progress", run: null });
  await button(page, "Start the run").click();
  await page.waitForURL(`**/desk/requests/${requestId}/run`);
});

test("without JavaScript the server shows lines and plan, keeps no value, and starts what was seen", async ({
  as,
  berth,
  newCustomer,
  newProject,
}) => {
  const { requestId } = await newCustomer();
  const project = await newProject();
  await claim(berth, requestId);
  const { page } = await as("admin", { javaScriptEnabled: false });
  await page.goto(pageOf(requestId));
  expect(await page.content()).toContain("what you pasted is not kept");
  await button(page, "Test").click();
  await expect(page.locator("#url-error")).toContainText("Paste the project's URL.");

  const wrong = { anonKey: project.serviceRoleKey, serviceRoleKey: project.anonKey };
  await paste(page, { ...credentialsOf(project), ...wrong });
  await button(page, "Test").click();
  await expect(line(page, "keys-not-swapped")).toHaveAttribute("data-state", "fails");
  await expect(page.locator("#anonKey-error")).toContainText("Exchange the two keys.");
  await expect(field(page, "serviceRoleKey")).toHaveValue("");
  await expectNoSecret(page, credentialsOf(project));

  // What does not hold is not taken, whichever button is pressed.
  await paste(page, { ...credentialsOf(project), ...wrong });
  await button(page, "Submit").click();
  await expect(page.getByRole("alert").first()).toContainText("cannot be used as they are");
  await expectNoSecret(page, credentialsOf(project));

  // Without a plan seen, nothing is started.
  await paste(page, credentialsOf(project));
  await button(page, "Submit").click();
  await expect(page.getByRole("heading", { name: "The plan" })).toBeVisible({ timeout: 60_000 });
  await expect(field(page, "serviceRoleKey")).toHaveValue("");
  const { body } = await berth.api("GET", `/api/queue/${requestId}`);
  expect(body).toMatchObject({ status: "in_progress", run: null });
  await paste(page, credentialsOf(project));
  await button(page, "Start the run").click();
  await page.waitForURL(`**/desk/requests/${requestId}/run`);
});

test("a request that does not exist, and a person who is no staff, see nothing", async ({
  as,
  asCustomer,
  newCustomer,
  stranger,
}) => {
  const customer = await newCustomer();
  const { page: desk } = await as("admin");
  for (const id of ["00000000-0000-7000-8000-000000000000", "nonsense"]) {
    expect((await desk.goto(pageOf(id)))?.status()).toBe(404);
  }
  const { page: own } = await asCustomer(customer);
  expect((await own.goto(pageOf(customer.requestId)))?.status()).toBe(404);
  const { page: nobody } = await stranger();
  await nobody.goto(pageOf(customer.requestId));
  expect(new URL(nobody.url()).pathname).toBe("/sign-in");
});

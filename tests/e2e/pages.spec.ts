/** What holds for every page: both themes, both widths, the keyboard, the headers. */
import type { Page, Response } from "@playwright/test";
import { type TabStop, tabTo, walkByTab } from "./support/keyboard.ts";
import { type Life, makeLife } from "./support/life.ts";
import { PAGES, type Viewer } from "./support/pages.ts";
import { enterAs } from "./support/people.ts";
import { expect, hydrated, type Person, test as plain } from "./support/test.ts";

const PHONE = { width: 390, height: 844 };

interface Lookers {
  /** Opens a browser of this viewer. */
  viewer(viewer: Viewer): Promise<Person>;
}

const test = plain.extend<Lookers, { life: Life }>({
  life: [
    async ({ berth, sandbox }, use) => use(await makeLife(berth, sandbox)),
    { scope: "worker", timeout: 240_000 },
  ],
  viewer: async ({ stranger, berth, life, sessions }, use) => {
    await use(async (viewer) => {
      const person = await stranger();
      await enterAs(person, sessions, berth, viewer, life);
      return person;
    });
  },
});

function expectSecurityHeaders(response: Response): void {
  const headers = response.headers();
  expect(headers).toMatchObject({
    "content-security-policy": expect.stringMatching(/script-src 'self' 'nonce-[\w-]{16,}';/),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": expect.stringContaining("camera=()"),
  });
  const policy = headers["content-security-policy"] ?? "";
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("object-src 'none'");
  expect(headers).not.toHaveProperty("x-powered-by");
}

/** How far the page can be scrolled sideways, in CSS pixels. */
const sideways = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

function expectStop(stops: TabStop[], act: string | RegExp): void {
  const names = stops.map((stop) => stop.name);
  const isAct = (label: string) => (act instanceof RegExp ? act.test(label) : label === act);
  expect(names.some(isAct), `${act} among ${names.join(" | ")}`).toBe(true);
}

test.describe.configure({ mode: "parallel" });

for (const { name, viewer: who, path, status = 200, act } of PAGES) {
  test(`page ${name}`, async ({ viewer, life, axe }) => {
    const { page } = await viewer(who);

    await test.step("opens", async () => {
      const response = await page.goto(path(life));
      if (!response) throw new Error("No answer.");
      expect(response.status()).toBe(status);
      expectSecurityHeaders(response);
      await hydrated(page);
      await expect(page).toHaveTitle(/^(Berth: .+|.+ · Berth)$/);
      await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
      await expect(page.getByRole("main")).toHaveCount(1);
    });

    await test.step("at a desk, light", () => axe(page));

    await test.step("by keyboard", async () => {
      await expect(async () => {
        const { stops, reachable } = await walkByTab(page);
        try {
          expect(stops.filter(({ visible }) => !visible)).toEqual([]);
          expect(stops.length).toBeGreaterThanOrEqual(reachable);
          if (act) expectStop(stops, act);
        } catch (error) {
          // Other tests may have changed a list under the walk: it begins anew.
          await page.reload();
          await hydrated(page);
          throw error;
        }
      }).toPass({ timeout: 90_000 });
    });

    await test.step("on a phone, dark", async () => {
      await page.emulateMedia({ colorScheme: "dark" });
      await page.setViewportSize(PHONE);
      await page.reload();
      await hydrated(page);
      await expect.poll(() => sideways(page)).toBeLessThanOrEqual(0);
      await axe(page);
    });
  });
}

/** As long as the fields allow, and without a place to break. */
const LONG = {
  company: "W".repeat(200),
  name: "M".repeat(200),
  email: (mark: string) => `${"w".repeat(50)}@${mark}.${"w".repeat(60)}.example`,
};

test("long names push nothing out of sight, on a phone or at a desk", async ({
  viewer,
  life,
  berth,
}) => {
  const { customer } = life;
  const rename = async (company: string, name: string, from: string, to: string) => {
    await berth.sql(
      "update customers set company = $1, contact_name = $2, email = $4 where email = $3",
      [company, name, from, to],
    );
    await berth.sql(`update auth."user" set name = $1, email = $3 where email = $2`, [
      name,
      from,
      to,
    ]);
    await berth.sql("update outbox set recipient = $2 where recipient = $1", [from, to]);
  };
  const { page: own } = await viewer("customer");
  const { page: desk } = await viewer("supervisor");
  const email = LONG.email(customer.customerId);
  await rename(LONG.company, LONG.name, customer.email, email);
  try {
    const seen = PAGES.filter(({ viewer: who }) => who !== "stranger" && who !== "newcomer");
    const wizard = {
      name: "wizard-1-signed-in",
      viewer: "customer",
      path: () => "/sign-up/business",
    };
    const wide: string[] = [];
    for (const { name, viewer: who, path } of [...seen, wizard]) {
      const page = who === "customer" ? own : desk;
      await page.setViewportSize(PHONE);
      await page.goto(path(life));
      const beyond = await sideways(page);
      if (beyond > 0) wide.push(`${name}: ${beyond} px`);
    }
    expect(wide).toEqual([]);
    await desk.setViewportSize({ width: 1440, height: 900 });
    await desk.goto(`/desk/outbox?to=${encodeURIComponent(email)}`);
    await expect(desk.getByRole("button", { name: /Send again/ }).first()).toBeInViewport();
  } finally {
    await rename(customer.company, "Demo Customer", email, customer.email);
  }
});

test("who asks for what is not theirs is told that there is nothing, and the log knows who asked", async ({
  asCustomer,
  newCustomer,
  berth,
}) => {
  const { requestId } = await newCustomer();
  const { context } = await asCustomer(await newCustomer());
  for (const [path, msg] of [
    [`/requests/${requestId}`, "a customer asked for a request that is not its own"],
    ["/desk/queue", "a page of the desk was refused"],
  ] as const) {
    const answer = await context.request.get(path);
    expect(answer.status(), path).toBe(404);
    const logged = () => berth.logged(answer.headers()["x-request-id"] ?? "none");
    await expect
      .poll(logged)
      .toContainEqual(expect.objectContaining({ msg, userId: expect.stringMatching(/./) }));
  }
});

test("what these tests look for, they find", async ({ page, axe }) => {
  await page.goto("/sign-in");
  await hydrated(page);
  await axe(page);
  await page.evaluate(() => {
    const words = document.createElement("p");
    words.textContent = "Hardly to be read";
    words.style.color = "#aaa";
    const button = document.createElement("button");
    button.style.outline = "none";
    document.querySelector("main")?.append(words, button);
  });
  await expect(axe(page)).rejects.toThrow(/button-name[\s\S]*Hardly[\s\S]*color-contrast/);
  const { stops, reachable } = await walkByTab(page);
  expect(stops.length).toBe(reachable);
  expect(stops.filter(({ visible }) => !visible)).toEqual([{ name: "button", visible: false }]);
});

test("a page that is slow to come is told of while it is on its way", async ({ as }) => {
  const { page } = await as("operator");
  await page.goto("/desk/templates");
  await hydrated(page);
  const main = page.getByRole("main");
  const bar = page.getByRole("progressbar", { name: "Loading" });
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  await page.route("**/desk/audit.data*", async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("link", { name: "Audit" }).click();
  await expect(bar).toBeInViewport();
  await expect(main).toHaveAttribute("aria-busy", "true");
  goOn();
  await expect(page).toHaveURL(/\/desk\/audit$/);
  await expect(bar).toHaveCount(0);
  await expect(main).not.toHaveAttribute("aria-busy");
});

test("a policy's nonce is new each time", async ({ request }) => {
  const nonce = async () => {
    const policy = (await request.get("/")).headers()["content-security-policy"] ?? "";
    return /'nonce-([^']+)'/.exec(policy)?.[1];
  };
  const first = await nonce();
  expect(first).toBeTruthy();
  expect(await nonce()).not.toBe(first);
});

for (const path of ["/", "/desk/queue"]) {
  test(`the first thing Tab meets on ${path} leads past the frame`, async ({ as }) => {
    const { page } = await as("admin");
    await page.goto(path);
    await hydrated(page);
    await page.keyboard.press("Tab");
    const skip = page.getByRole("link", { name: "Skip to the content" });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("main")).toBeFocused();
    await page.keyboard.press("Tab");
    expect(
      await page.evaluate(() => document.activeElement?.closest("main") !== null),
      "the next stop is inside the main part",
    ).toBe(true);
  });
}

test("the keyboard alone takes an admin from sign-in to the credentials", async ({
  stranger,
  berth,
  newCustomer,
}) => {
  const { requestId, company } = await newCustomer();
  const account = berth.info.accounts.find(({ role }) => role === "admin");
  const { page } = await stranger();
  await page.goto("/desk/queue");
  await hydrated(page);
  await tabTo(page, page.getByLabel("E-mail address"));
  await page.keyboard.type(account?.email ?? "");
  await tabTo(page, page.getByLabel("Password"));
  await page.keyboard.type(account?.password ?? "");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/desk/queue");
  await tabTo(page, page.getByRole("searchbox"));
  await page.keyboard.type(company);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/[?&]q=/);
  await tabTo(page, page.getByRole("link", { name: company, exact: true }));
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/desk/requests/${requestId}`);
  await tabTo(page, page.getByRole("button", { name: "Claim the request" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("link", { name: "Paste the credentials" }));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/credentials");
  await tabTo(page, page.getByRole("textbox", { name: "Project URL" }));
});

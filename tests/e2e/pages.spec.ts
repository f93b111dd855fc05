/** What holds for every page: both themes, both widths, the keyboard, the headers. */
import type { Page, Response } from "@playwright/test";
import { tabTo, walkByTab } from "./support/keyboard.ts";
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
      const { stops, reachable } = await walkByTab(page);
      expect(stops.filter(({ visible }) => !visible)).toEqual([]);
      expect(stops.length).toBeGreaterThanOrEqual(reachable);
      if (act) {
        const names = stops.map((stop) => stop.name);
        const isAct = (label: string) => (act instanceof RegExp ? act.test(label) : label === act);
        expect(names.some(isAct), `${act} among ${names.join(" | ")}`).toBe(true);
      }
    });

    await test.step("on a phone, dark", async () => {
      await page.emulateMedia({ colorScheme: "dark" });
      await page.setViewportSize(PHONE);
      await page.reload();
      await hydrated(page);
      expect(await sideways(page)).toBeLessThanOrEqual(0);
      await axe(page);
    });
  });
}

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

/** The frame around every page of the desk. */
import { expect, test } from "./support/test.ts";

test("at 390 px a menu leads everywhere, without scripts", async ({ as, berth }) => {
  const { page } = await as("operator", {
    viewport: { width: 390, height: 844 },
    javaScriptEnabled: false,
  });
  await page.goto("/desk/staff");
  const menu = page.getByText("Menu");
  for (const name of ["Queue", "Dashboard", "Outbox", "Audit", "Templates", "Staff"]) {
    const link = page.getByRole("navigation", { name: "Desk" }).getByRole("link", { name });
    await expect(link).toBeHidden();
    await menu.click();
    await link.click();
    await expect(page).toHaveURL(`${berth.url}/desk/${name.toLowerCase()}`);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page).toHaveTitle(/ · Berth$/);
  }
});

test("every stop of the keyboard shows where it is", async ({ as }) => {
  const { page } = await as("operator");
  await page.goto("/desk/templates");
  for (let stop = 0; stop < 10; stop += 1) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(
      () => getComputedStyle(document.activeElement ?? document.body).outlineStyle,
    );
    expect(outline).toBe("solid");
  }
});

test("whoever leaves the desk for a while says so on any page, and stays there", async ({
  as,
  berth,
}) => {
  const { page } = await as("operator");
  await page.goto("/desk/audit?subject=request");
  const away = page.getByRole("button", { name: "Go off duty" });
  const back = page.getByRole("button", { name: "Go on duty" });
  // The demo account is shared; a test that was cut off may have left it away.
  await expect(away.or(back)).toBeVisible();
  if (await back.isVisible()) await back.click();
  await away.click();
  await expect(back).toBeVisible();
  await expect(page).toHaveURL(`${berth.url}/desk/audit?subject=request`);
  await back.click();
  await expect(away).toBeVisible();
});

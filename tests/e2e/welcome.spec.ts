/** The stand-in's page that a project's mail leads to: where its owner chooses a password. */
import { expect, test } from "./support/test.ts";

test("a link signs in once, and there a password is chosen", async ({ stranger, newProject }) => {
  const project = await newProject();
  const email = "owner@example.com";
  const headers = {
    apikey: `${project.serviceRoleKey}`,
    authorization: `Bearer ${project.serviceRoleKey}`,
    "content-type": "application/json",
  };
  const made = await fetch(`${project.url}/auth/v1/admin/generate_link`, {
    method: "POST",
    headers,
    body: JSON.stringify({ type: "invite", email }),
  });
  const link = `${((await made.json()) as { action_link: string }).action_link}`;
  const { page } = await stranger();
  await page.goto(link);
  await expect(page.getByRole("status")).toHaveText(`Signed in as ${email}`);
  await page.getByLabel("New password").fill("harbour crane lantern");
  await page.getByRole("button", { name: "Choose this password" }).click();
  await expect(page.getByText("Your password is kept.")).toBeVisible();
  const signedIn = await fetch(`${project.url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: `${project.anonKey}`, "content-type": "application/json" },
    body: JSON.stringify({ email, password: "harbour crane lantern" }),
  });
  expect(signedIn.status).toBe(200);
  await page.goto(link);
  await expect(page.getByRole("status")).toContainText("This link was used already");
  await expect(page.getByLabel("New password")).toBeHidden();
});

import type { Page } from "@playwright/test";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  expect,
} from "@playwright/test";
import { type Berth, type Customer, readMail } from "./installation.ts";
import type { Life } from "./life.ts";
import type { Viewer } from "./pages.ts";
import { answerAll, newPerson, PASSWORD } from "./sign-up.ts";

/** Cuts a page off from all news: its stream, and what it asks before it looks by itself. */
export async function deafen(target: Page | BrowserContext): Promise<void> {
  for (const path of ["**/live/**", "**/healthz"]) {
    await target.route(path, (route) => route.abort());
  }
}

/** A browser of one person: cookies of its own, and its first page. */
export interface Person {
  context: BrowserContext;
  page: Page;
}

export type Role = "admin" | "supervisor" | "operator";

/** The cookies of those who have signed in so far. */
export type Sessions = Map<string, Awaited<ReturnType<BrowserContext["cookies"]>>>;

/** A new browser of a stranger. */
export async function openBrowser(
  browser: Browser,
  options: BrowserContextOptions,
): Promise<Person> {
  const context = await browser.newContext(options);
  return { context, page: await context.newPage() };
}

/** Waits until the page's scripts have taken over what the server rendered. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    Object.keys(document.body).some((key) => key.startsWith("__reactFiber")),
  );
}

/** Opens a page, and waits for its scripts: before them, a press is a plain form's. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await hydrated(page);
}

/** Signs in on the page, as a person does. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.pathname !== "/sign-in");
}

/** Whether a page for people who are signed in opens in this browser. */
async function isSignedIn(context: BrowserContext): Promise<boolean> {
  const answer = await context.request.get("/requests", { maxRedirects: 0 });
  return !answer.headers().location?.startsWith("/sign-in");
}

/** Signs in once, and brings the cookies the next time, as long as they hold. */
async function enter(
  { context }: Person,
  sessions: Sessions,
  who: string,
  signInAnew: () => Promise<void>,
): Promise<void> {
  const known = sessions.get(who);
  if (known) {
    await context.addCookies(known);
    if (await isSignedIn(context)) return;
    await context.clearCookies();
  }
  await signInAnew();
  sessions.set(who, await context.cookies());
}

/** Signs in as the demo account of this role. */
export function enterAsStaff(person: Person, sessions: Sessions, berth: Berth, role: Role) {
  return enter(person, sessions, role, async () => {
    const account = berth.info.accounts.find((candidate) => candidate.role === role);
    if (!account) throw new Error(`The installation has no demo account of role ${role}.`);
    await signIn(person.page, account.email, account.password);
  });
}

/** Signs in as a customer that the API took in: its password is chosen by the first mail's link. */
export function enterAsCustomer(
  person: Person,
  sessions: Sessions,
  berth: Berth,
  { email }: Customer,
) {
  return enter(person, sessions, email, async () => {
    const mail = await readMail(berth, email, "We have your request");
    const link = mail.links.find((url) => url.includes("/account/password"));
    if (!link) throw new Error(`The mail to ${email} has no link to choose a password.`);
    const answer = await person.context.request.post(link, {
      form: { password: PASSWORD },
      headers: { origin: berth.url },
    });
    expect(answer.ok(), `choosing a password for ${email}`).toBe(true);
    await signIn(person.page, email, PASSWORD);
  });
}

/** Comes as a viewer of `PAGES`. */
export async function enterAs(
  person: Person,
  sessions: Sessions,
  berth: Berth,
  viewer: Viewer,
  life: Life,
): Promise<void> {
  if (viewer === "customer") return enterAsCustomer(person, sessions, berth, life.customer);
  if (viewer === "newcomer") {
    return enter(person, sessions, viewer, () => answerAll(person.page, newPerson()));
  }
  if (viewer !== "stranger") return enterAsStaff(person, sessions, berth, viewer);
}

/**
 * Pictures of every page, at two widths in both themes, for people to look at:
 * `npm run screenshots -- FOLDER`, of the Berth that `npm start` runs (or BERTH_E2E_LOCAL names).
 * With `--readme`, the three pictures of the README, into docs/images.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { type Browser, chromium, type Page } from "@playwright/test";
import { findBrowser } from "../../scripts/browser.ts";
import { forgiveLimits, openInstallation } from "./support/installation.ts";
import { type Life, makeLife } from "./support/life.ts";
import { PAGES, type SomePage } from "./support/pages.ts";
import { enterAs, hydrated, openBrowser, type Sessions } from "./support/people.ts";

const WIDTHS = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const THEMES = ["light", "dark"] as const;
/** The pages of the README's pictures. */
const README = ["queue", "dashboard", "tracking-ready"];
const README_WINDOW = { width: 1100, height: 640 };

const root = path.join(import.meta.dirname, "../..");
const args = process.argv.slice(2);
const forReadme = args.includes("--readme");
const folder = forReadme ? path.join(root, "docs", "images") : args[0];
if (!folder) {
  process.stderr.write("Name the folder to write to: npm run screenshots -- FOLDER\n");
  process.exit(1);
}
process.env.BERTH_E2E_LOCAL ??= path.join(root, ".data", "local.json");

const { berth, sandbox, close } = await openInstallation().catch(() => {
  process.stderr.write("No Berth runs here. Start one first: npm start\n");
  process.exit(1);
});
const sessions: Sessions = new Map();

/** Waits until what is drawn is what stays: scripts, fonts, charts. */
async function settle(page: Page): Promise<void> {
  await hydrated(page);
  await page.evaluate(() => document.fonts.ready);
  await page
    .locator("[aria-busy=true], .skeleton")
    .first()
    .waitFor({ state: "detached", timeout: 10_000 })
    .catch(() => {});
}

async function take(
  browser: Browser,
  life: Life,
  wanted: SomePage[],
  look: { viewport: { width: number; height: number }; colorScheme: (typeof THEMES)[number] },
  nameOf: (page: SomePage) => string,
): Promise<void> {
  for (const viewer of new Set(wanted.map((one) => one.viewer))) {
    const options = { baseURL: berth.url, reducedMotion: "reduce" as const, locale: "en-GB" };
    const person = await openBrowser(browser, { ...options, ...look });
    await forgiveLimits(berth);
    await enterAs(person, sessions, berth, viewer, life);
    for (const one of wanted.filter((page) => page.viewer === viewer)) {
      const file = path.join(folder ?? "", `${nameOf(one)}.png`);
      await person.page.goto(one.path(life));
      await settle(person.page);
      await person.page.screenshot({ path: file, fullPage: !forReadme, animations: "disabled" });
      process.stdout.write(`${path.relative(process.cwd(), file)}\n`);
    }
    await person.context.close();
  }
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch(await findBrowser());
try {
  const life = await makeLife(berth, sandbox);
  if (forReadme) {
    const pages = PAGES.filter(({ name }) => README.includes(name));
    const look = { viewport: README_WINDOW, colorScheme: "light" as const };
    await take(browser, life, pages, look, ({ name }) => name);
  } else {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      for (const colorScheme of THEMES) {
        const nameOf = ({ name }: SomePage) => `${name}-${width}-${colorScheme}`;
        await take(browser, life, PAGES, { viewport, colorScheme }, nameOf);
      }
    }
  }
} finally {
  await browser.close();
  await close();
}

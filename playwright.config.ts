import { tmpdir } from "node:os";
import path from "node:path";
import { defineConfig } from "@playwright/test";
import { findBrowser } from "./scripts/browser.ts";

const browser = await findBrowser();

/** `npx playwright test`, and the suite `e2e` of `npm test`. */
export default defineConfig({
  testDir: "tests/e2e",
  globalSetup: "tests/e2e/support/global-setup.ts",
  // Pictures and traces of failures: to look at, never to commit.
  outputDir: process.env.BERTH_E2E_OUTPUT ?? path.join(tmpdir(), "berth-e2e-failures"),
  workers: 2,
  retries: 0,
  forbidOnly: true,
  // These end hung tests on a busy machine; they judge nothing.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  projects: [
    { name: "together", testIgnore: "templates.spec.ts" },
    // It switches off, for everybody, what the other specs choose. By itself: `--no-deps`.
    { name: "alone", testMatch: "templates.spec.ts", dependencies: ["together"] },
  ],
  use: {
    actionTimeout: 30_000,
    navigationTimeout: 60_000,
    // Chosen here, so that no picture depends on the machine.
    viewport: { width: 1440, height: 900 },
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    // A trace of every test costs a fifth of the time: ask for it with `--trace retain-on-failure`.
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: browser,
  },
});

import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "@playwright/test";

/**
 * The page has no violation that axe calls serious or critical. Each is named with its elements. Two
 * choices make axe quicker without making it milder: it collects no elements of rules that are kept,
 * and it runs in the page itself ("legacy"), not in a second one, which only frames would need.
 */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .options({ resultTypes: ["violations"] })
    .setLegacyMode()
    .analyze();
  const found = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => ({
      rule: `${id}: ${help}`,
      elements: nodes.map(({ html, failureSummary }) => `${html}  ${failureSummary}`),
    }));
  expect(found, `accessibility of ${page.url()}`).toEqual([]);
}

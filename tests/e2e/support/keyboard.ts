import { expect, type Locator, type Page } from "@playwright/test";

/** Where Tab leads, and whether one can see it. */
export interface TabStop {
  /** What a person would call it: its label, its text, or its tag. */
  name: string;
  /** An outline is drawn around it, inside the window. */
  visible: boolean;
}

/** In a long list the stops repeat themselves. */
const LONGEST_WALK = 60;
/** The parts of a date field, each a stop of its own within one element. */
const MOST_PARTS = 6;

/** How many things can be reached by keyboard. Runs in the page. */
function countFocusable(): number {
  const selector =
    "a[href], button:not([disabled]), input:not([type=hidden], [disabled]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex='0']";
  const groups = new Set<string>();
  let count = 0;
  for (const element of document.querySelectorAll<HTMLElement>(selector)) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.inert) continue;
    // Tab enters a group of radio buttons once; the arrow keys go on within it.
    if (element instanceof HTMLInputElement && element.type === "radio") {
      const group = `${element.form?.id} ${element.name}`;
      if (groups.has(group)) continue;
      groups.add(group);
    }
    count += 1;
  }
  return count;
}

/** The element that has the focus; null where the focus left the page. Runs in the page. */
function focused(): (TabStop & { walked: "no" | "just now" | "before" }) | null {
  const element = document.activeElement as HTMLElement | null;
  if (!element || element === document.body || element === document.documentElement) return null;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const label = (element as HTMLInputElement).labels?.[0]?.textContent;
  const name = element.getAttribute("aria-label") ?? label ?? element.textContent ?? "";
  const last = document.querySelector("[data-walked=last]");
  const walked =
    last === element ? "just now" : element.hasAttribute("data-walked") ? "before" : "no";
  last?.setAttribute("data-walked", "");
  element.setAttribute("data-walked", "last");
  return {
    name: name.trim().replace(/\s+/g, " ").slice(0, 80) || element.tagName.toLowerCase(),
    visible:
      style.outlineStyle !== "none" &&
      Number.parseFloat(style.outlineWidth) >= 1 &&
      box.bottom > 0 &&
      box.top < innerHeight &&
      box.right > 0 &&
      box.left < innerWidth,
    walked,
  };
}

/**
 * Walks through the page by Tab from its beginning. `reachable`: how many stops there should be, at
 * most as many as are walked.
 */
export async function walkByTab(page: Page): Promise<{ stops: TabStop[]; reachable: number }> {
  const reachable = Math.min(await page.evaluate(countFocusable), LONGEST_WALK);
  const stops: TabStop[] = [];
  let parts = 0;
  while (stops.length < LONGEST_WALK && parts < MOST_PARTS) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(focused);
    if (!stop || stop.walked === "before") break;
    parts = stop.walked === "just now" ? parts + 1 : 0;
    if (stop.walked === "no") stops.push({ name: stop.name, visible: stop.visible });
  }
  return { stops, reachable };
}

/** Presses Tab until this has the focus. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < LONGEST_WALK; presses += 1) {
    await page.keyboard.press("Tab");
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab does not lead to ${target}.`);
}

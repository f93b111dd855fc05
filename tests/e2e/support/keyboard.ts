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
/** How many times Tab is pressed before what it met is read. */
const STRIDE = 20;

interface Stop extends TabStop {
  /** The walk has been here before: in its last step, or earlier. */
  walked: "no" | "just now" | "before";
}

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

/**
 * From now on the page notes where each Tab has led, so that no press need be followed by a question.
 * null: the focus has left the page. Runs in the page.
 */
function noteStops(): (Stop | null)[] {
  const noted: (Stop | null)[] = [];
  let last: Element | null = null;
  const seen = new Set<Element>();
  const note = (): Stop | null => {
    const element = document.activeElement as HTMLElement | null;
    if (!element || element === document.body || element === document.documentElement) return null;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const label = (element as HTMLInputElement).labels?.[0]?.textContent;
    const name = element.getAttribute("aria-label") ?? label ?? element.textContent ?? "";
    const walked = element === last ? "just now" : seen.has(element) ? "before" : "no";
    last = element;
    seen.add(element);
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
  };
  // The focus moves as Tab goes down, and the page scrolls to it: when it comes up, both are done.
  addEventListener("keyup", () => noted.push(note()), true);
  return noted;
}

/**
 * Presses Tab; presses may overlap, and keep their order. Not by `page.keyboard`: of each of its
 * presses a trace keeps the whole page, which takes ten times as long as the press.
 */
async function tabKey(page: Page): Promise<() => Promise<unknown>> {
  const keyboard = await page.context().newCDPSession(page);
  const tab = { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 };
  return () =>
    Promise.all([
      keyboard.send("Input.dispatchKeyEvent", { type: "rawKeyDown", ...tab }),
      keyboard.send("Input.dispatchKeyEvent", { type: "keyUp", ...tab }),
    ]);
}

/**
 * Walks through the page by Tab from its beginning. `reachable`: how many stops there should be, at
 * most as many as are walked.
 */
export async function walkByTab(page: Page): Promise<{ stops: TabStop[]; reachable: number }> {
  const reachable = Math.min(await page.evaluate(countFocusable), LONGEST_WALK);
  const noted = await page.evaluateHandle(noteStops);
  const press = await tabKey(page);
  const stops: TabStop[] = [];
  let parts = 0;
  for (;;) {
    await Promise.all(Array.from({ length: STRIDE }, press));
    const met = await noted.evaluate((all) => all.splice(0));
    if (met.length === 0) return { stops, reachable };
    for (const stop of met) {
      if (!stop || stop.walked === "before") return { stops, reachable };
      parts = stop.walked === "just now" ? parts + 1 : 0;
      if (stop.walked === "no") stops.push({ name: stop.name, visible: stop.visible });
      if (stops.length === LONGEST_WALK || parts === MOST_PARTS) return { stops, reachable };
    }
  }
}

/** Presses Tab until this has the focus. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  const press = await tabKey(page);
  for (let presses = 0; presses < LONGEST_WALK; presses += 1) {
    await press();
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`Tab does not lead to ${target}.`);
}

/** The dashboard's figures against plain SQL, and every number against the list that it opens. */
import type { Page } from "@playwright/test";
import { formatDuration } from "../../app/components/time.tsx";
import { type Berth, deafen, expect, hydrated, test } from "./support/test.ts";

const ENDED = "('completed', 'cancelled')";

/** The number at the head of this text, such as 12 of "12 requests". */
const numberOf = (text: string | null) => Number.parseInt(text ?? "", 10);

/** The number shown in a part of the page, and the address of its list. */
async function shown(page: Page, part: string, place = 0) {
  const link = page.locator(part).getByRole("link").nth(place);
  const href = (await link.getAttribute("href")) ?? "";
  const text = await link.textContent();
  return { value: numberOf(text?.replace(/^\D+/, "") ?? ""), text: text ?? "", href };
}

const paramsOf = (href: string) => new URL(href, "http://berth.invalid").searchParams;

async function count(berth: Berth, condition: string, values: unknown[] = []): Promise<number> {
  const [row] = await berth.sql(
    `select count(*)::int as n from provisioning_queue q
     join plan_targets t on t.plan_id = q.plan_id and t.priority = q.priority where ${condition}`,
    values,
  );
  return Number(row?.n);
}

test("its numbers equal SQL", async ({ as, berth }) => {
  const { page } = await as("supervisor");
  // Other tests take requests in meanwhile: page and SQL are read again until they are of one moment.
  await expect(async () => {
    await page.goto("/desk/dashboard");
    const late = `q.status not in ${ENDED} and q.due_at <= berth_now()`;
    const soon = `q.status not in ${ENDED} and q.due_at > berth_now()
      and q.due_at - berth_now() < t.hours * interval '15 minutes'`;
    for (const [name, condition] of [
      ["Waiting", "q.status = 'pending'"],
      ["Late", late],
      ["Due soon", soon],
      ["In flight", `q.status not in ('pending', 'completed', 'cancelled')`],
    ]) {
      const { value } = await shown(page, `[data-headline="${name}"]`);
      expect(value, name).toBe(await count(berth, condition ?? ""));
    }
    for (const part of await page.locator("[data-status]").all()) {
      const status = await part.getAttribute("data-status");
      // A run that a person cancelled is counted apart from failures.
      const stands = `case when q.status = 'failed' and q.failure ->> 'code' = 'run_cancelled'
        then 'run_cancelled' else q.status end`;
      expect(numberOf(await part.getByRole("link").textContent()), status ?? "").toBe(
        await count(berth, `${stands} = $1`, [status]),
      );
    }
    for (const part of await page.locator("[data-person]").all()) {
      const held = numberOf(await part.getByRole("link").textContent());
      const person = await part.getAttribute("data-person");
      expect(held).toBe(
        await count(berth, `q.assignee_id = $1 and q.status not in ${ENDED}`, [person]),
      );
    }
  }).toPass({ timeout: 60_000 });
});

test("its figures of 7 and 30 days, durations and runs equal SQL", async ({ as, berth }) => {
  const { page } = await as("supervisor");
  const done = "q.status = 'completed' and q.ended_at >= $1 and q.ended_at < $2";
  const rows: Record<string, string> = {
    completed: done,
    kept: `${done} and q.ended_at <= q.due_at`,
    broken: `${done} and q.ended_at > q.due_at`,
    failed: `exists (select from request_events e where e.request_id = q.id
      and e.kind in ('failed', 'needs_person') and e.at >= $1 and e.at < $2)`,
  };
  // A page that heard of what other tests end would move its window on. What they commit only after
  // it was read is read again.
  await deafen(page);
  await expect(async () => {
    await page.goto("/desk/dashboard");
    for (const [name, condition] of Object.entries(rows)) {
      for (const [place, days] of [7, 30].entries()) {
        const { value, href } = await shown(page, `[data-outcome="${name}"]`, place);
        const params = paramsOf(href);
        const kind = name === "failed" ? "failed" : "completed";
        const window = [params.get(`${kind}From`), params.get(`${kind}To`)];
        expect(value, `${name}, ${days} days`).toBe(await count(berth, condition, window));
        const length = Date.parse(window[1] ?? "") - Date.parse(window[0] ?? "");
        expect(length).toBe(days * 86_400_000);
      }
    }
    const month = paramsOf((await shown(page, '[data-outcome="completed"]', 1)).href);
    const window = [month.get("completedFrom"), month.get("completedTo")];
    const [runs] = await berth.sql(
      `select sum((status = 'succeeded')::int)::int as good, count(*)::int as all from provisioning_runs
       where status in ('succeeded', 'failed', 'needs_person') and ended_at >= $1 and ended_at < $2`,
      window,
    );
    const rate = page.locator('[data-outcome="runs"]');
    await expect(rate).toContainText(`${runs?.good} of ${runs?.all}`);
    await expect(rate).toContainText(
      `${Math.floor((Number(runs?.good) * 100) / Number(runs?.all))} %`,
    );
    for (const [place, share] of [0.5, 0.95].entries()) {
      const [took] = await berth.sql(
        `select percentile_cont(${share}) within group (order by extract(epoch from ended_at - created_at)) as s
         from provisioning_queue q where ${done}`,
        window,
      );
      const { text } = await shown(page, '[data-phase="whole"]', place);
      expect(text).toContain(formatDuration(Number(took?.s) * 1_000));
    }
  }).toPass({ timeout: 60_000 });
});

test("its charts' tables equal SQL, and open with the keyboard alone", async ({ as, berth }) => {
  const { page } = await as("supervisor");
  await page.goto("/desk/dashboard");
  await hydrated(page);
  const tables = page.getByText("The numbers as a table");
  for (const summary of await tables.all()) {
    await summary.focus();
    await page.keyboard.press("Enter");
  }
  await expect(async () => {
    for (const part of await page.locator("[data-day]").all()) {
      const day = await part.getAttribute("data-day");
      const within = (column: string) => `(q.${column} at time zone 'UTC')::date = $1::date`;
      expect(await part.getByRole("link").allTextContents()).toEqual([
        `${await count(berth, within("created_at"), [day])} arrived`,
        `${await count(berth, `q.status = 'completed' and ${within("ended_at")}`, [day])} completed`,
      ]);
    }
    for (const part of await page.locator("[data-week]").all()) {
      const week = `to_char(q.ended_at at time zone 'UTC', 'IYYY-IW') =
        to_char($1::date, 'IYYY-IW') and q.status = 'completed'`;
      const monday = [await part.getAttribute("data-week")];
      const [all, kept] = [
        await count(berth, week, monday),
        await count(berth, `${week} and q.ended_at <= q.due_at`, monday),
      ];
      expect(await part.getByRole("link").allTextContents()).toEqual([
        `${all} completed`,
        `${kept} in time`,
        `${all - kept} too late`,
      ]);
    }
  }).toPass({ timeout: 60_000 });
  await expect(page.locator("[data-day]")).toHaveCount(30);
  await expect(page.locator("[data-week]")).toHaveCount(12);
});

async function rendered(page: Page, address: string): Promise<string> {
  const answer = await page.request.get(address);
  expect(answer.status(), address).toBe(200);
  return answer.text();
}

/** How many requests a list has, over all its pages, as the server renders it. */
async function lengthOf(page: Page, href: string): Promise<number> {
  let length = 0;
  for (let next: string | undefined = href; next; ) {
    const html = await rendered(page, next);
    expect(html, next).not.toContain("Part of this address means nothing");
    length += html.match(/data-request="/g)?.length ?? 0;
    const query = /href="[^"]*?(\?[^"]*cursor=[^"]*)"(?:(?!<\/a>).)*Next page/s.exec(html)?.[1];
    next = query && `/desk/queue${query.replaceAll("&amp;", "&")}`;
  }
  return length;
}

const isMeasure = (text: string) => /%|\d (h|min|s|d|ms)\b/.test(text);

/** The numbers of the page that count requests, each with the address of its list. */
async function countsOn(page: Page): Promise<[href: string, text: string][]> {
  const texts = await page
    .locator('main a[href^="/desk/queue?"]')
    .evaluateAll((all) =>
      all.map((link): [string, string] => [
        link.getAttribute("href") ?? "",
        link.textContent ?? "",
      ]),
    );
  // A rate and a length of time open what they were measured on.
  const counts = texts.filter(([, text]) => /\d/.test(text) && !isMeasure(text));
  expect(counts.length).toBeGreaterThan(100);
  return [...new Map(counts)];
}

test("every number opens a list of exactly as many requests", async ({ as }) => {
  const { page } = await as("supervisor");
  const proven = new Set<string>();
  // Other tests go on meanwhile: a number that something has overtaken is read anew.
  await expect(async () => {
    await page.goto("/desk/dashboard");
    const ofKind = new Map<string, number>();
    for (const [href, text] of await countsOn(page)) {
      const kind = text.replace(/[1-9]\d*/, "n");
      const nth = (ofKind.get(kind) ?? 0) + 1;
      ofKind.set(kind, nth);
      // The days and weeks are many of a kind; the module's test holds each against its list.
      if (nth > 3 || proven.has(`${kind} ${nth}`)) continue;
      expect(await lengthOf(page, href), `${text}: ${href}`).toBe(Number(/\d+/.exec(text)?.[0]));
      proven.add(`${kind} ${nth}`);
    }
  }).toPass({ timeout: 120_000 });
});

test("the most urgent are named, and lead to their pages; a number leads to the queue", async ({
  as,
  berth,
  newCustomer,
}) => {
  const { requestId, company } = await newCustomer();
  await berth.sql(
    `update provisioning_queue set due_at = berth_now() - interval '400 days', version = version + 1
     where id = $1`,
    [requestId],
  );
  const { page } = await as("admin");
  await page.goto("/desk/dashboard");
  await page.getByRole("region", { name: "Late" }).getByRole("link", { name: company }).click();
  await expect(page).toHaveURL(new RegExp(`/desk/requests/${requestId}`));
  await page.goBack();
  await page.locator('[data-headline="Late"]').getByRole("link").first().click();
  await expect(page).toHaveURL(/\/desk\/queue\?due=late/);
  await expect(page.getByRole("link", { name: company })).toBeVisible();
  await berth.sql(
    `update provisioning_queue q set version = version + 1, due_at = created_at + interval '1 hour' * (
       select hours from plan_targets t where t.plan_id = q.plan_id and t.priority = q.priority)
     where id = $1`,
    [requestId],
  );
});

test("a request that comes in is counted without a reload", async ({ as, newCustomer }) => {
  const { page } = await as("operator");
  await page.goto("/desk/dashboard");
  await expect(page.locator("[data-live=live]")).toBeVisible();
  const before = (await shown(page, '[data-headline="Waiting"]', 1)).value;
  await newCustomer();
  await expect
    .poll(async () => (await shown(page, '[data-headline="Waiting"]', 1)).value, {
      timeout: 30_000,
    })
    .toBeGreaterThan(before);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    test(`is drawn and accessible, ${colorScheme} at ${viewport.width}`, async ({ as, axe }) => {
      const { page } = await as("supervisor", { colorScheme, viewport });
      await page.goto("/desk/dashboard");
      const drawings = page.locator(".recharts-surface[role=application]");
      await expect(drawings).toHaveCount(2);
      // By arrow keys one walks along a drawing, and reads each point.
      const point = page.getByText(/^\d+ arrived$/).and(page.locator("p"));
      // A drawing that is drawn anew meanwhile forgets where one was.
      await expect(async () => {
        await drawings.last().focus();
        await page.keyboard.press("ArrowRight");
        await expect(point).toBeVisible({ timeout: 3_000 });
      }).toPass({ timeout: 60_000 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
      await axe(page);
    });
  }
}

test("without scripts the numbers are there, and the charts' as tables", async ({ as }) => {
  const { page } = await as("supervisor", { javaScriptEnabled: false });
  await page.goto("/desk/dashboard");
  await page.getByText("The numbers as a table").first().click();
  await expect(page.locator("[data-week]").first()).toBeVisible();
  expect(await page.content()).not.toMatch(/<[a-z]+ [^>]*style="/);
});

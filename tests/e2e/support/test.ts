/** What every spec imports: Playwright's test with Berth's fixtures. */
import { randomBytes } from "node:crypto";
import {
  type BrowserContext,
  type BrowserContextOptions,
  expect,
  type Page,
  test as plain,
} from "@playwright/test";
import type { SandboxClient, SandboxProject } from "../../support/client.ts";
import { expectAccessible } from "./axe.ts";
import {
  type Berth,
  type Customer,
  forgiveLimits,
  openInstallation,
  type ReadMail,
  readMail,
  takeIn,
} from "./installation.ts";
import {
  enterAsCustomer,
  enterAsStaff,
  openBrowser,
  type Person,
  type Role,
  type Sessions,
} from "./people.ts";
import { watchForErrors } from "./watch.ts";

export { deafen, hydrated, open, signIn } from "./people.ts";
export type { Berth, Customer, Person, Role };
export { expect };

interface Fixtures {
  /** Another browser of a stranger. */
  stranger(options?: BrowserContextOptions): Promise<Person>;
  /** Another browser, signed in as this demo account. Do not sign it out: tests share the session. */
  as(role: Role, options?: BrowserContextOptions): Promise<Person>;
  /** Another browser, signed in as this customer, who chooses a password by the link of its mail. */
  asCustomer(customer: Customer, options?: BrowserContextOptions): Promise<Person>;
  /** Takes a customer in through the API. Company and address are new each time. */
  newCustomer(wish?: Record<string, unknown>): Promise<Customer>;
  /** Makes a project at the Supabase sandbox, up and empty. */
  newProject(name?: string, wish?: Record<string, unknown>): Promise<SandboxProject>;
  /** Waits for a mail to this address whose subject holds these words. */
  mailTo(address: string, subjectPart: string): Promise<ReadMail>;
  /** The page has no serious or critical violation. */
  axe(page: Page): Promise<void>;
  /** Errors of this test's pages so far. The test fails at its end if there is any. */
  pageErrors: string[];
}

interface WorkerFixtures {
  berth: Berth;
  sandbox: SandboxClient;
  installation: Awaited<ReturnType<typeof openInstallation>>;
  sessions: Sessions;
}

/** A name that no other test has. */
export const unique = (word: string) => `${word} ${randomBytes(4).toString("hex")}`;

export const test = plain.extend<Fixtures, WorkerFixtures>({
  installation: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameters of a fixture.
    async ({}, use) => {
      const installation = await openInstallation();
      await use(installation);
      await installation.close();
    },
    { scope: "worker" },
  ],
  berth: [({ installation }, use) => use(installation.berth), { scope: "worker" }],
  sandbox: [({ installation }, use) => use(installation.sandbox), { scope: "worker" }],
  // biome-ignore lint/correctness/noEmptyPattern: as above.
  sessions: [async ({}, use) => use(new Map()), { scope: "worker" }],

  baseURL: ({ berth }, use) => use(berth.url),

  pageErrors: [
    async ({ berth }, use) => {
      await forgiveLimits(berth);
      const problems: string[] = [];
      await use(problems);
      expect(problems, "errors on the console of this test's pages").toEqual([]);
    },
    { auto: true },
  ],

  context: async ({ context, pageErrors }, use) => {
    watchForErrors(context, pageErrors);
    await use(context);
  },

  stranger: async ({ browser, contextOptions, baseURL, pageErrors }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options = {}) => {
      const person = await openBrowser(browser, { ...contextOptions, baseURL, ...options });
      watchForErrors(person.context, pageErrors);
      opened.push(person.context);
      return person;
    });
    for (const context of opened) await context.close();
  },

  as: async ({ stranger, berth, sessions }, use) => {
    await use(async (role, options) => {
      const person = await stranger(options);
      await enterAsStaff(person, sessions, berth, role);
      return person;
    });
  },

  asCustomer: async ({ stranger, berth, sessions }, use) => {
    await use(async (customer, options) => {
      const person = await stranger(options);
      await enterAsCustomer(person, sessions, berth, customer);
      return person;
    });
  },

  newCustomer: async ({ berth }, use) => {
    await use((wish) => takeIn(berth, wish));
  },

  newProject: async ({ sandbox }, use) => {
    await use((name = unique("project"), wish = {}) => sandbox.project({ name, ...wish }));
  },

  mailTo: async ({ berth }, use) => {
    await use((address, subjectPart) => readMail(berth, address, subjectPart));
  },

  // biome-ignore lint/correctness/noEmptyPattern: as above.
  axe: async ({}, use) => use(expectAccessible),
});

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import type { LocalInfo } from "../../../scripts/local/start-local.ts";
import { type Api, apiOf, mailAt, sandboxOf } from "../../support/client.ts";

/** The running installation, and the ways around the browser. */
export interface Berth {
  url: string;
  mailUrl: string;
  info: LocalInfo;
  /** Berth's API, as the demo admin's key. */
  api: Api;
  /** One statement on Berth's own database as its superuser: for looking and for planting. */
  // biome-ignore lint/suspicious/noExplicitAny: what a row holds is for each test to say.
  sql<Row extends Record<string, any>>(text: string, values?: unknown[]): Promise<Row[]>;
  /** What the web process has written to its log about the request with this correlation id. */
  logged(correlationId: string): Promise<Record<string, unknown>[]>;
}

/** A customer's request that was made through the API. */
export interface Customer {
  customerId: string;
  requestId: string;
  company: string;
  email: string;
}

/** A mail as a person reads it. */
export interface ReadMail {
  subject: string;
  text: string;
  links: string[];
}

/** Opens the installation that global set-up started, or the one that BERTH_E2E_LOCAL names. */
export async function openInstallation() {
  const file = process.env.BERTH_E2E_LOCAL;
  if (!file) throw new Error("BERTH_E2E_LOCAL names no local.json: global set-up did not run.");
  const info = JSON.parse(await readFile(file, "utf8")) as LocalInfo;
  const pool = new pg.Pool({ connectionString: info.databaseUrl, max: 2 });
  pool.on("error", () => {});
  const berth: Berth = {
    url: info.url,
    mailUrl: info.mailUrl,
    info,
    api: apiOf(info.url, info.apiKey),
    sql: async (text, values) => (await pool.query(text, values)).rows,
    logged: async (correlationId) => {
      const log = await readFile(path.join(path.dirname(file), "logs", "web.log"), "utf8");
      const lines = log.split("\n").filter((line) => line.includes(correlationId));
      return lines.map((line) => JSON.parse(line));
    },
  };
  return {
    berth,
    sandbox: sandboxOf(info.supabase.managementUrl),
    close: () => pool.end(),
  };
}

/** Takes a customer in through the API. Company and address are new each time. */
export async function takeIn(berth: Berth, wish: Record<string, unknown> = {}): Promise<Customer> {
  const mark = randomBytes(5).toString("hex");
  const names = { company: `Company ${mark}`, email: `customer-${mark}@example.com`, ...wish };
  const made = await berth.api("POST", "/api/customers", {
    contactName: "Demo Customer",
    country: "DE",
    timezone: "Europe/Berlin",
    region: "eu-central-1",
    plan: "business",
    billingCycle: "monthly",
    features: ["pos", "analytics"],
    ...names,
  });
  if (made.status !== 201) throw new Error(`No request: ${JSON.stringify(made.body)}`);
  const { customerId, requestId } = made.body;
  return { customerId, requestId, company: names.company, email: names.email };
}

/** Waits for a mail to this address whose subject holds these words. */
export async function readMail(berth: Berth, to: string, subject: string): Promise<ReadMail> {
  const words = new RegExp(subject.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
  const mail = await mailAt(berth.mailUrl, to, words);
  const links = mail.text.match(/https?:\/\/[^\s<>"]+/g) ?? [];
  return { subject: mail.subject, text: mail.text, links };
}

/**
 * The suite signs up and signs in more people from one address than the limits allow. What it spent
 * is given back before each test; the limits themselves are tested beside their code.
 */
export async function forgiveLimits({ sql, info }: Berth): Promise<void> {
  const accounts = info.accounts.map(({ email }) => `sign-in:${email}`);
  await sql(
    `delete from rate_limits
     where bucket like 'sign-in-from:%' or bucket like 'sign-up-from:%'
       or bucket like 'person-test:%' or bucket like 'request:%' or bucket = any($1)`,
    [accounts],
  );
}

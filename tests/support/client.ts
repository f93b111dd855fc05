import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is for each test to say.
  body: any;
}

export interface Api {
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same with another key; none if empty. */
  as(key: string): Api;
}

export interface Mail {
  subject: string;
  text: string;
  html: string;
  messageId: string;
  to: { address: string; name: string }[];
}

/** A project of the sandbox, with what a person would copy from its page. */
export interface SandboxProject {
  ref: string;
  url: string;
  anonKey: string;
  serviceRoleKey: string;
  publishableKey: string;
  secretKey: string;
  databaseUrl: string;
  directUrl: string;
}

export interface SandboxClient {
  project(wish?: Record<string, unknown>): Promise<SandboxProject>;
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Switches one fault on beside the others. `fault`: see sandbox/README.md. */
  addFault(fault: { kind: string; ref: string } & Record<string, unknown>): Promise<void>;
  /** Switches the faults of one project off. */
  dropFaults(ref: string): Promise<void>;
}

async function exchange(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

/** Sends a form to a page as a browser does that has it open. */
export function postPage(
  url: string,
  init: Omit<RequestInit, "headers" | "method"> = {},
): Promise<Response> {
  return fetch(url, { ...init, method: "POST", headers: { origin: new URL(url).origin } });
}

/** Calls Berth's API with this key; without one if empty. */
export function apiOf(url: string, key: string): Api {
  const call = (method: string, at: string, body?: unknown, headers: Record<string, string> = {}) =>
    exchange(url + at, method, body, {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...headers,
    });
  return Object.assign(call, { as: (other: string) => apiOf(url, other) });
}

/** Calls the Supabase sandbox. */
export function sandboxOf(url: string): SandboxClient {
  const call = (method: string, at: string, body?: unknown) => exchange(url + at, method, body, {});
  return {
    call,
    async project(wish = {}) {
      const made = await call("POST", "/sandbox/projects?wait=1", {
        name: "test",
        readyAfterMs: 0,
        ...wish,
      });
      if (made.status !== 201) throw new Error(`No sandbox project: ${JSON.stringify(made.body)}`);
      return made.body;
    },
    async addFault(fault) {
      const { status } = await call("POST", "/sandbox/faults", fault);
      if (status !== 201) throw new Error(`The fault was not taken: ${JSON.stringify(fault)}`);
    },
    async dropFaults(ref) {
      await call("DELETE", `/sandbox/faults?ref=${ref}`);
    },
  };
}

/** The mails that Berth sent, as the catcher has them. */
export async function mailsAt(mailUrl: string): Promise<Mail[]> {
  return (await (await fetch(`${mailUrl}/email`)).json()) as Mail[];
}

/** Waits for a mail to this address whose subject matches. */
export function mailAt(mailUrl: string, to: string, subject: RegExp): Promise<Mail> {
  return eventually(`a mail to ${to} about ${subject}`, async () =>
    (await mailsAt(mailUrl)).find(
      (mail) => subject.test(mail.subject) && mail.to.some(({ address }) => address === to),
    ),
  );
}

/** For waits that a busy machine may make long, in milliseconds. */
export const PATIENCE_MS = 240_000;

/** Asks until there is an answer; at most a minute unless told, and ten times a second. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false>,
  patienceMs = 120_000,
  everyMs = 100,
): Promise<T> {
  const end = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await sleep(everyMs);
  }
}

/** The four values that are pasted, of a sandbox project. */
export function credentialsOf(project: SandboxProject) {
  const { url, anonKey, serviceRoleKey, databaseUrl } = project;
  return { url, anonKey, serviceRoleKey, databaseUrl };
}

/** Another process of the same id, earlier, may have spoken to the same Berth. */
const mark = randomBytes(4).toString("hex");
let customers = 0;

/** A wish that is right in every field; each call speaks of another customer. */
export function newCustomer(wish: Record<string, unknown> = {}) {
  customers += 1;
  return {
    company: `Company ${customers}`,
    contactName: "Ann Example",
    email: `customer-${mark}-${customers}@example.com`,
    country: "DE",
    timezone: "Europe/Berlin",
    region: "eu-central-1",
    plan: "business",
    billingCycle: "monthly",
    features: ["pos", "analytics"],
    ...wish,
  };
}

/** Waits until a request has one of these statuses. */
export function settled(api: Api, requestId: string, statuses = ["completed", "failed"]) {
  return eventually(`request ${requestId} to be ${statuses.join(" or ")}`, async () => {
    const { body } = await api("GET", `/api/queue/${requestId}`);
    return statuses.includes(body.status) ? body : null;
  });
}

/** A customer taken in, claimed, and its request's id. */
export async function claimedRequest(
  api: Api,
  wish: Record<string, unknown> = {},
): Promise<string> {
  const made = await api("POST", "/api/customers", newCustomer(wish));
  if (made.status !== 201) throw new Error(`No request: ${JSON.stringify(made.body)}`);
  const { requestId } = made.body;
  const claimed = await api("POST", `/api/queue/${requestId}/claim`);
  if (claimed.status !== 200) throw new Error(`Not claimed: ${JSON.stringify(claimed.body)}`);
  return requestId;
}

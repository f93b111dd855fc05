import pg from "pg";
import {
  credentialsOf,
  type SandboxClient,
  type SandboxProject,
  settled,
} from "../../support/client.ts";
import { type Berth, type Customer, readMail, takeIn } from "./installation.ts";

/** One request in each state that makes its pages look different. All are of one customer. */
export interface Life {
  customer: Customer;
  pending: string;
  claimed: string;
  /** The customer's own project was paused after the sign-up: the customer must wake it. */
  asked: string;
  completed: string;
  failed: string;
  cancelled: string;
  /** The id of a member of the staff. */
  member: string;
  /** Links out of mails that nobody has used: of the owner, and of another customer. */
  ownerLink: string;
  passwordLink: string;
}

/** Does something in a project's database, as its owner at Supabase might. */
export async function inProject(project: SandboxProject, statement: string): Promise<void> {
  const client = new pg.Client({
    connectionString: project.directUrl.replace(/\?.*$/, ""),
    ssl: { rejectUnauthorized: false },
  });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Pauses a project, as its owner at Supabase might. */
async function pause({ info }: Berth, { ref }: SandboxProject): Promise<void> {
  const { managementUrl, accessToken } = info.supabase;
  const answer = await fetch(`${managementUrl}/v1/projects/${ref}/pause`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (!answer.ok) throw new Error(`Not paused: ${answer.status}`);
}

/** The address that a mail's link to this page leads to. */
async function linkTo(berth: Berth, page: string, email: string, subject: string) {
  const { links } = await readMail(berth, email, subject);
  const link = links.map((url) => new URL(url)).find(({ pathname }) => pathname === page);
  if (!link) throw new Error(`The mail to ${email} has no link to ${page}.`);
  return `${link.pathname}${link.search}`;
}

/** Makes such a life through the API: one run that succeeds, one that fails at its first file. */
export async function makeLife(berth: Berth, sandbox: SandboxClient): Promise<Life> {
  const customer = await takeIn(berth);
  const { company, email } = customer;
  const another = async (wish = {}) => {
    const same = { company, email, plan: "starter", features: [] };
    const { requestId } = await takeIn(berth, { ...same, ...wish });
    return requestId;
  };
  const claim = async (id: string) => {
    const claimed = await berth.api("POST", `/api/queue/${id}/claim`);
    if (claimed.status !== 200) throw new Error(`Not claimed: ${JSON.stringify(claimed.body)}`);
    return id;
  };
  const build = async (id: string, project: SandboxProject) => {
    const path = `/api/queue/${await claim(id)}/credentials`;
    const submitted = await berth.api("POST", path, credentialsOf(project));
    if (submitted.status !== 200) throw new Error(`Refused: ${JSON.stringify(submitted.body)}`);
    await settled(berth.api, id, ["completed", "failed"]);
    return id;
  };
  const [good, broken, asleep] = await Promise.all(
    ["good", "broken", "asleep"].map((what) => sandbox.project({ name: `${company}, ${what}` })),
  );
  if (!good || !broken || !asleep) throw new Error("No projects.");
  await inProject(broken, "create schema private");
  const ask = async (id: string) => {
    await pause(berth, asleep);
    const refused = await berth.api("POST", `/api/queue/${id}/credentials`);
    if (refused.status !== 422) throw new Error(`Not asked: ${JSON.stringify(refused.body)}`);
    return id;
  };
  const cancel = async (id: string) => {
    const cancelled = await berth.api("POST", `/api/queue/${id}/cancel`);
    if (cancelled.status !== 200) throw new Error(`Not cancelled: ${cancelled.status}`);
    return id;
  };
  const [completed, failed] = await Promise.all([
    build(customer.requestId, good),
    build(await another(), broken),
  ]);
  const [member] = await berth.sql(`select user_id from admin_users where role = 'admin' limit 1`);
  const stranger = await takeIn(berth);
  return {
    customer,
    pending: await another(),
    claimed: await claim(await another()),
    asked: await ask(await claim(await another({ backend: credentialsOf(asleep) }))),
    completed,
    failed,
    cancelled: await cancel(await another()),
    member: member?.user_id,
    ownerLink: await linkTo(berth, "/owner", email, "is ready"),
    passwordLink: await linkTo(berth, "/account/password", stranger.email, "We have your request"),
  };
}

import pg from "pg";
import {
  credentialsOf,
  type SandboxClient,
  type SandboxProject,
  settled,
} from "../../support/client.ts";
import { type Berth, type Customer, takeIn } from "./installation.ts";

/** One request in each state that makes its pages look different. All are of one customer. */
export interface Life {
  customer: Customer;
  pending: string;
  claimed: string;
  completed: string;
  failed: string;
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

/** Makes such a life through the API: one run that succeeds, one that fails at its first file. */
export async function makeLife(berth: Berth, sandbox: SandboxClient): Promise<Life> {
  const customer = await takeIn(berth);
  const { company, email } = customer;
  const another = async () => {
    const { requestId } = await takeIn(berth, { company, email, plan: "starter", features: [] });
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
  const good = await sandbox.project({ name: company });
  const broken = await sandbox.project({ name: `${company}, broken` });
  await inProject(broken, "create schema private");
  const [completed, failed] = await Promise.all([
    build(customer.requestId, good),
    build(await another(), broken),
  ]);
  return {
    customer,
    pending: await another(),
    claimed: await claim(await another()),
    completed,
    failed,
  };
}

/** What the demo's people and workers do, by the domain's own commands. */
import { eq, sql } from "drizzle-orm";
import { attachBackend, liveBackendOf } from "#app/domain/backends/index.server.ts";
import type { Catalog } from "#app/domain/catalog/index.server.ts";
import { newCustomerInput, submitRequest } from "#app/domain/onboarding/index.server.ts";
import { completeRun, failRun } from "#app/domain/provisioning/finish.ts";
import {
  cancelOwnRequest,
  cancelRequest,
  retryRequest,
} from "#app/domain/provisioning/index.server.ts";
import { startRun } from "#app/domain/provisioning/runs.ts";
import {
  addNote,
  claimRequest,
  lockRequest,
  mailCustomer,
  moveRequest,
  releaseRequest,
  resumeRequest,
} from "#app/domain/queue/index.server.ts";
import type { Vault } from "#app/domain/vault/index.server.ts";
import { customers } from "#db/customers.ts";
import type { Actor, Tx } from "#db/index.ts";
import { provisioningQueue } from "#db/queue.ts";
import { type Act, chance, type StaffSeat } from "./plot.ts";
import { failSteps, finishSteps, takeLease } from "./runs.ts";
import type { Story } from "./stories.ts";

export interface Stage {
  tx: Tx;
  catalog: Catalog;
  vault: Vault;
  staff: Record<StaffSeat, string>;
  staffMail: string;
}

/** A request of the demo, as it comes to be. */
export interface Role {
  story: Story;
  /** Tells this story's made-up values from the others'. */
  number: number;
  requestId: string;
  runId: string;
}

const someone = (kind: Actor["kind"], id: string): Actor => ({
  kind,
  id,
  origin: "",
  correlationId: "seed",
});

/** Who does this. Requests come in through the admin's API key, as from a shop's own page. */
export async function actorOf(stage: Stage, role: Role, act: Act): Promise<Actor> {
  if ("by" in act) return someone("staff", stage.staff[act.by]);
  if (act.name === "submit") return someone("api", stage.staff.admin);
  if (act.name !== "withdraw") return someone("worker", "worker-demo");
  const [found] = await stage.tx
    .select({ userId: customers.userId })
    .from(customers)
    .innerJoin(provisioningQueue, eq(provisioningQueue.customerId, customers.id))
    .where(eq(provisioningQueue.id, role.requestId));
  return someone("customer", found?.userId ?? "");
}

/** Does it, at the transaction's present time and as the actor that it acts as. */
export async function playAct(stage: Stage, actor: Actor, role: Role, act: Act): Promise<void> {
  const { tx, catalog } = stage;
  const context = { tx, actor };
  const { requestId } = role;
  switch (act.name) {
    case "submit": {
      const { request } = await submitRequest({ ...context, catalog }, wishOf(role));
      role.requestId = request.id;
      return;
    }
    case "claim":
      await claimRequest(context, requestId);
      return;
    case "release":
      await releaseRequest(context, requestId);
      return;
    case "ask": {
      const request = await lockRequest(tx, requestId);
      await moveRequest(context, request, "waiting_on_customer", {
        event: "credentials_problem",
        data: { failed: ["database"] },
      });
      await mailCustomer(context, request, "credentials_problem", { problem: PASSWORD_PROBLEM });
      return;
    }
    case "resume":
      await resumeRequest(context, requestId);
      return;
    case "credentials":
      role.runId = await submitCredentials(stage, actor, role);
      return;
    case "retry":
      await retryRequest(context, catalog, requestId);
      role.runId = await newestRun(tx, requestId);
      return;
    case "start": {
      await takeLease(tx, actor, role.runId);
      const request = await lockRequest(tx, requestId);
      if (request.status !== "credentials_received") return;
      await moveRequest(context, request, "migrating", {
        event: "run_started",
        data: { runId: role.runId },
      });
      return;
    }
    case "finish":
      await completeRun(context, await finishSteps(tx, actor, catalog, role.runId));
      return;
    case "fail": {
      const { lease, failure } = await failSteps(tx, actor, catalog, role.runId, act.of);
      await failRun(context, lease, failure, stage.staffMail);
      return;
    }
    case "note":
      await addNote(context, requestId, MADE_UP);
      return;
    case "withdraw":
      await cancelOwnRequest(context, requestId);
      return;
    case "cancel":
      await cancelRequest(context, requestId);
  }
}

const PASSWORD_PROBLEM =
  "The database refused the password. Copy it again from Supabase → Settings → Database, or reset it there.";

const MADE_UP =
  "This project is made up for the demonstration: a retry cannot reach it. Use other credentials, those of a sandbox project, to go on.";

function wishOf({ story, number }: Role) {
  const { ago: _, ending: __, ...wish } = story;
  const domain = story.company
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
  return newCustomerInput.parse({
    ...wish,
    contactName: "Demo Customer",
    email: `hello@${domain}.example`,
    billingCycle: number % 3 === 0 ? "yearly" : "monthly",
  });
}

/** As the desk submits them, without the connection test: nothing listens at these addresses. */
async function submitCredentials(stage: Stage, actor: Actor, role: Role): Promise<string> {
  const { tx, catalog } = stage;
  const context = { tx, actor };
  let request = await lockRequest(tx, role.requestId);
  if (request.status === "failed") {
    request = await moveRequest(context, request, "in_progress", { event: "resumed" });
  }
  const known = await liveBackendOf(tx, request.id);
  const letters = wordOf(role.number, "abcdefghijklmnopqrstuvwxyz");
  const ref = letters(20);
  // A domain that never resolves (RFC 6761): a retry of the demo reaches nobody.
  const domain = "supabase.example";
  const secret = wordOf(role.number + (known ? 500 : 1_000), "abcdefghjkmnpqrstuvwxyz23456789");
  const credentials = {
    url: `https://${ref}.${domain}`,
    anonKey: `sb_publishable_${secret(30)}`,
    serviceRoleKey: `sb_secret_${secret(30)}`,
    databaseUrl: `postgresql://postgres:${secret(20)}@db.${ref}.${domain}:5432/postgres`,
  };
  const project = { ref, status: "building" as const };
  const backend = await attachBackend(
    { ...context, vault: stage.vault },
    request,
    credentials,
    project,
  );
  const received = await moveRequest(context, request, "credentials_received", {
    event: "credentials_submitted",
    data: { backendId: backend.id, generation: backend.generation },
    set: { failure: null },
  });
  return startRun(context, catalog, received, backend);
}

/** Words of the alphabet's letters, the same ones for the same seed. */
function wordOf(seed: number, alphabet: string) {
  const between = chance(seed);
  return (length: number) =>
    Array.from({ length }, () => alphabet[Math.floor(between(0, alphabet.length))]).join("");
}

async function newestRun(tx: Tx, requestId: string): Promise<string> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from provisioning_runs where request_id = ${requestId} order by id desc limit 1`);
  return rows[0]?.id ?? "";
}

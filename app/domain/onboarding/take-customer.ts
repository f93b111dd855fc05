import type { Actor, Tx } from "#db/index.ts";
import { attachBackend, type ConnectionTest } from "../backends/index.server.ts";
import type { Catalog } from "../catalog/index.server.ts";
import {
  type CredentialsDeps,
  CredentialsRefusedError,
  checkCredentials,
} from "../provisioning/index.server.ts";
import { estimateFor, positionsOf } from "../queue/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import type { NewCustomer } from "./schema.ts";
import { submitRequest, type Taken } from "./submit.ts";

/** Tests the project that a new customer brings; null where it brings none. */
export async function testOffered(
  deps: Omit<CredentialsDeps, "catalog" | "vault">,
  { backend }: NewCustomer,
): Promise<ConnectionTest | null> {
  return backend ? checkCredentials(deps, backend) : null;
}

/**
 * Takes in a customer, its request and the project that it brings, in the caller's transaction.
 * @param report what {@link testOffered} found
 * @throws CredentialsRefusedError, ChoiceNotPossibleError, ProjectInUseError
 */
export async function takeCustomer(
  { tx, actor, catalog, vault }: { tx: Tx; actor: Actor; catalog: Catalog; vault: Vault },
  input: NewCustomer,
  report: ConnectionTest | null,
): Promise<Taken & { position: number | null; estimate: Date | null }> {
  if (report && (!report.ok || report.ref === null)) throw new CredentialsRefusedError(report);
  const taken = await submitRequest({ tx, actor, catalog }, input);
  const { request } = taken;
  if (input.backend && report?.ref) {
    const offered = { ...input.backend, url: report.facts.origin ?? input.backend.url };
    const project = { ref: report.ref, status: "offered" as const };
    await attachBackend({ tx, actor, vault }, request, offered, project);
  }
  const positions = await positionsOf(tx, [request.id]);
  return {
    ...taken,
    position: positions.get(request.id) ?? null,
    estimate: await estimateFor(tx, request),
  };
}

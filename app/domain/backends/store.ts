import { and, asc, desc, eq, inArray, lt, ne, sql } from "drizzle-orm";
import { customerBackends } from "#db/backends.ts";
import type { Actor, Tx } from "#db/index.ts";
import { dataKeys, sealedSecrets } from "#db/vault.ts";
import { recordAudit } from "../audit/index.server.ts";
import type { RequestRow } from "../queue/index.server.ts";
import type { SecretTrace, Vault } from "../vault/index.server.ts";
import { ProjectInUseError } from "./errors.ts";

export type Backend = typeof customerBackends.$inferSelect;

/** What the vault's records of credentials are sealed for. */
const PURPOSE = "backend-credentials";

/** A project's credentials as a person gives them; the URL alone is no secret. */
export interface Credentials {
  url: string;
  anonKey: string;
  serviceRoleKey: string;
  databaseUrl: string;
}

interface Context {
  tx: Tx;
  actor: Actor;
  vault: Vault;
}

/**
 * Whether a live backend of another request has this project. A customer learns yes or no, and
 * nothing about whose it is.
 */
export async function isProjectInUse(
  tx: Tx,
  projectRef: string,
  exceptRequestId?: string,
): Promise<boolean> {
  const { rows } = await tx.execute<{ used: boolean }>(
    sql`select berth_project_in_use(${projectRef}, ${exceptRequestId ?? null}::uuid) as used`,
  );
  return rows[0]?.used ?? true;
}

/** The backend that a request has now, if any. */
export async function liveBackendOf(tx: Tx, requestId: string): Promise<Backend | null> {
  const [backend] = await tx
    .select()
    .from(customerBackends)
    .where(and(eq(customerBackends.requestId, requestId), ne(customerBackends.status, "retired")));
  return backend ?? null;
}

/**
 * Gives a request these credentials, sealed: a new generation where the project is the same, else a
 * new backend in place of the old one.
 * @throws ProjectInUseError
 */
export async function attachBackend(
  { tx, actor, vault }: Context,
  request: Pick<RequestRow, "id" | "customerId">,
  credentials: Credentials,
  project: { ref: string; status: "offered" | "building" },
): Promise<Backend> {
  const current = await liveBackendOf(tx, request.id);
  if (current && current.projectRef !== project.ref) {
    await retireBackend({ tx, actor }, current, "replaced");
  }
  const backend =
    current?.projectRef === project.ref
      ? await nextGeneration(tx, current, credentials.url)
      : await insertBackend(tx, request, credentials.url, project);
  const { url: _, ...secrets } = credentials;
  await vault.seal({ tx, actor, requestId: request.id }, backendSecret(backend), PURPOSE, {
    ...secrets,
  });
  await recordAudit(tx, actor, {
    action: `backend.${project.status === "offered" ? "offer" : "attach"}`,
    subjectKind: "backend",
    subjectId: backend.id,
    requestId: request.id,
    data: { projectRef: project.ref, generation: backend.generation },
  });
  return backend;
}

/** Which sealed record is in force for a backend. */
export const backendSecret = ({ id, generation }: Pick<Backend, "id" | "generation">) => ({
  backendId: id,
  generation,
});

async function nextGeneration(tx: Tx, current: Backend, url: string): Promise<Backend> {
  const [backend] = await tx
    .update(customerBackends)
    .set({ url, status: "building", generation: sql`${customerBackends.generation} + 1` })
    .where(eq(customerBackends.id, current.id))
    .returning();
  if (!backend) throw new Error("A backend vanished between two statements.");
  return backend;
}

async function insertBackend(
  tx: Tx,
  request: Pick<RequestRow, "id" | "customerId">,
  url: string,
  project: { ref: string; status: "offered" | "building"; id?: string },
): Promise<Backend> {
  const [backend] = await tx
    .insert(customerBackends)
    .values({
      ...(project.id === undefined ? {} : { id: project.id }),
      customerId: request.customerId,
      requestId: request.id,
      projectRef: project.ref,
      url,
      status: project.status,
    })
    .onConflictDoNothing({
      target: customerBackends.projectRef,
      where: sql`status <> 'retired'`,
    })
    .returning();
  if (!backend) throw new ProjectInUseError(project.ref);
  return backend;
}

/** Seals credentials under the id of a backend that is yet to be; see {@link adoptBackend}. */
export async function sealAhead(
  { tx, actor, vault }: Context,
  backendId: string,
  { url: _, ...secrets }: Credentials,
): Promise<void> {
  await vault.seal({ tx, actor }, backendSecret({ id: backendId, generation: 1 }), PURPOSE, {
    ...secrets,
  });
}

/**
 * Gives a request the project whose credentials were sealed ahead, under the id they are sealed for.
 * @throws ProjectInUseError
 */
export async function adoptBackend(
  { tx, actor }: { tx: Tx; actor: Actor },
  request: Pick<RequestRow, "id" | "customerId">,
  project: { id: string; ref: string; url: string },
): Promise<void> {
  const { id, ref, url } = project;
  await insertBackend(tx, request, url, { id, ref, status: "offered" });
  await recordAudit(tx, actor, {
    action: "backend.offer",
    subjectKind: "backend",
    subjectId: id,
    requestId: request.id,
    data: { projectRef: ref, generation: 1 },
  });
}

/** Destroys what was sealed ahead for a backend that is not to be. @returns whether there was any */
export async function destroySealedAhead(
  { tx, actor }: { tx: Tx; actor: Actor },
  backendId: string,
): Promise<boolean> {
  await tx.delete(sealedSecrets).where(eq(sealedSecrets.backendId, backendId));
  const gone = await tx.delete(dataKeys).where(eq(dataKeys.backendId, backendId));
  if (!gone.rowCount) return false;
  await recordAudit(tx, actor, {
    action: "secret.destroy",
    subjectKind: "backend",
    subjectId: backendId,
  });
  return true;
}

/** Lets go of a project: it may serve another backend, and the worker destroys what was sealed. */
export async function retireBackend(
  { tx, actor }: { tx: Tx; actor: Actor },
  backend: Backend,
  reason: string,
): Promise<void> {
  await tx
    .update(customerBackends)
    .set({ status: "retired", retiredAt: sql`berth_now()` })
    .where(eq(customerBackends.id, backend.id));
  await recordAudit(tx, actor, {
    action: "backend.retire",
    subjectKind: "backend",
    subjectId: backend.id,
    requestId: backend.requestId,
    data: { reason },
  });
}

/** Destroys the credentials of a backend that newer ones have replaced. Call it when no run is open. */
export async function destroySuperseded(
  { tx, actor }: { tx: Tx; actor: Actor },
  backendId: string,
): Promise<void> {
  const [backend] = await tx
    .select({ generation: customerBackends.generation })
    .from(customerBackends)
    .where(eq(customerBackends.id, backendId));
  if (!backend) return;
  for (const table of [sealedSecrets, dataKeys]) {
    await tx
      .delete(table)
      .where(and(eq(table.backendId, backendId), lt(table.generation, backend.generation)));
  }
  if (backend.generation === 1) return;
  await recordAudit(tx, actor, {
    action: "secret.destroy",
    subjectKind: "backend",
    subjectId: backendId,
    data: { before: backend.generation },
  });
}

/** Destroys the sealed credentials of retired backends. Bounded; safe from many workers at once. */
export async function purgeRetiredSecrets(
  { tx, actor }: { tx: Tx; actor: Actor },
  limit = 100,
): Promise<number> {
  const retired = await tx
    .selectDistinct({ id: dataKeys.backendId })
    .from(dataKeys)
    .innerJoin(customerBackends, eq(customerBackends.id, dataKeys.backendId))
    .where(eq(customerBackends.status, "retired"))
    .limit(limit);
  const ids = retired.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await tx.delete(sealedSecrets).where(inArray(sealedSecrets.backendId, ids));
  const gone = await tx
    .delete(dataKeys)
    .where(inArray(dataKeys.backendId, ids))
    .returning({ id: dataKeys.backendId });
  for (const id of new Set(gone.map((row) => row.id))) {
    await recordAudit(tx, actor, {
      action: "secret.destroy",
      subjectKind: "backend",
      subjectId: id,
    });
  }
  return gone.length;
}

/** The backend as staff see it: no secret, only its traces. */
export interface BackendView {
  backendId: string;
  projectRef: string;
  url: string;
  status: string;
  generation: number;
  installed: Record<string, string>;
  credentials: SecretTrace[];
}

/** The newest backend of a request, retired ones included. */
export async function viewBackend(
  tx: Tx,
  vault: Vault,
  requestId: string,
): Promise<BackendView | null> {
  const [backend] = await tx
    .select()
    .from(customerBackends)
    .where(eq(customerBackends.requestId, requestId))
    .orderBy(asc(sql`${customerBackends.status} = 'retired'`), desc(customerBackends.id))
    .limit(1);
  if (!backend) return null;
  return {
    backendId: backend.id,
    projectRef: backend.projectRef,
    url: backend.url,
    status: backend.status,
    generation: backend.generation,
    installed: backend.installed,
    credentials: await vault.traces(tx, backendSecret(backend)),
  };
}

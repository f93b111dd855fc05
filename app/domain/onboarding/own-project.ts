import { v7 as uuidv7 } from "uuid";
import { asActor } from "#db/index.ts";
import { type Credentials, destroySealedAhead, sealAhead } from "../backends/index.server.ts";
import {
  type CredentialsDeps,
  CredentialsRefusedError,
  checkCredentials,
} from "../provisioning/index.server.ts";
import type { Vault } from "../vault/index.server.ts";
import { type DraftContext, lockDraft, writeAnswers } from "./drafts.ts";

/**
 * Takes the customer's own project into the draft: tested, then sealed at once, in place of an
 * earlier one, which is destroyed. The draft keeps its URL and reference alone.
 * @throws StepNotOpenError; CredentialsRefusedError with the lines
 */
export async function useOwnProject(
  deps: CredentialsDeps,
  credentials: Credentials,
): Promise<void> {
  const { db, actor, vault, catalog } = deps;
  await asActor(db, actor, (tx) => lockDraft({ tx, actor, catalog }, "backend"));
  const report = await checkCredentials(deps, credentials);
  const { ref } = report;
  if (!report.ok || ref === null) throw new CredentialsRefusedError(report);
  const project = { ref, url: report.facts.origin ?? credentials.url };
  await asActor(db, actor, (tx) =>
    keepProject({ tx, actor, catalog, vault }, credentials, project),
  );
}

/**
 * Seals credentials that were tested, in place of earlier ones.
 * @throws StepNotOpenError
 */
export async function keepProject(
  { vault, ...context }: DraftContext & { vault: Vault },
  credentials: Credentials,
  { ref, url }: { ref: string; url: string },
): Promise<void> {
  const { tx, actor } = context;
  const draft = await lockDraft(context, "backend");
  if (draft.backendId !== null) await destroySealedAhead({ tx, actor }, draft.backendId);
  const backendId = uuidv7();
  // The draft first: a customer may seal for the id that its own draft names, and for no other.
  await writeAnswers(tx, draft, { backend: { kind: "own", url, ref } }, backendId);
  await sealAhead({ tx, actor, vault }, backendId, credentials);
}

/**
 * Leaves the project to Berth. What was sealed of the customer's own is destroyed.
 * @throws StepNotOpenError
 */
export async function leaveToBerth(context: DraftContext): Promise<void> {
  const { tx, actor } = context;
  const draft = await lockDraft(context, "backend");
  if (draft.backendId !== null) await destroySealedAhead({ tx, actor }, draft.backendId);
  await writeAnswers(tx, draft, { backend: { kind: "create" } }, null);
}

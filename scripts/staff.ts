/**
 * `npm run staff`: invites the first people of an installation and makes API keys; sends an owner a
 * new link.
 */
import { parseArgs } from "node:util";
import { eq } from "drizzle-orm";
import { validate as isUuid } from "uuid";
import {
  ALL_SCOPES,
  createApiKey,
  type Scope,
  type StaffRole,
} from "#app/domain/identity/index.server.ts";
import { sendOwnerLink } from "#app/domain/provisioning/index.server.ts";
import { admitMember } from "#app/domain/staff/index.server.ts";
import { parseEnv } from "#app/platform/env.ts";
import { user } from "#db/auth.ts";
import { STAFF_ROLES } from "#db/identity.ts";
import { type Actor, asActor } from "#db/index.ts";
import { openIdentity } from "./local/identity.ts";

const USAGE = `npm run staff -- add --email EMAIL --name NAME --role ${STAFF_ROLES.join("|")}
npm run staff -- key --email EMAIL --label LABEL [--scopes ${ALL_SCOPES.join(",")}]
npm run staff -- owner-link --request REQUEST-ID    sends the owner a new link
`;

class UsageError extends Error {}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    email: { type: "string" },
    name: { type: "string" },
    role: { type: "string" },
    label: { type: "string" },
    request: { type: "string" },
    scopes: { type: "string" },
  },
});

function required(name: "email" | "name" | "role" | "label" | "request"): string {
  const value = values[name];
  if (!value) throw new UsageError(`--${name} is missing.`);
  return value;
}

function oneOf<T extends string>(known: readonly T[], value: string): T {
  const found = known.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`"${value}" is none of ${known.join(", ")}.`);
  return found;
}

async function main(): Promise<void> {
  const env = parseEnv(process.env);
  const { db, auth, close } = openIdentity(env, "berth-staff", (message) =>
    process.stderr.write(`${message}\n`),
  );
  const actor: Actor = { kind: "staff", id: "npm run staff", origin: "", correlationId: "" };
  try {
    if (positionals[0] === "add") {
      const role: StaffRole = oneOf(STAFF_ROLES, required("role"));
      const person = { email: required("email"), name: required("name"), role };
      const { hasPassword } = await admitMember({ db, auth, actor }, person);
      const next = hasPassword
        ? "They sign in with the password that they have."
        : "A link to choose a password is on its way to them.";
      process.stdout.write(`${person.name} is on the staff as ${role}. ${next}\n`);
    } else if (positionals[0] === "key") {
      const email = required("email").toLowerCase();
      const [owner] = await asActor(db, actor, (tx) =>
        tx.select({ id: user.id }).from(user).where(eq(user.email, email)),
      );
      if (!owner) throw new UsageError("There is no account with this address.");
      const scopes: Scope[] = values.scopes
        ? values.scopes.split(",").map((scope) => oneOf(ALL_SCOPES, scope.trim()))
        : ALL_SCOPES;
      const made = await createApiKey(
        { auth, db, actor },
        { userId: owner.id, name: required("label"), scopes },
      );
      process.stdout.write(`${made.key}\nThis is the only time that it is shown.\n`);
    } else if (positionals[0] === "owner-link") {
      const requestId = required("request");
      if (!isUuid(requestId)) throw new UsageError("This is not the id of a request.");
      await asActor(db, actor, (tx) => sendOwnerLink({ tx, actor }, requestId));
      process.stdout.write("A new link is on its way to the owner.\n");
    } else {
      throw new UsageError("Say what to do.");
    }
  } finally {
    await close();
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : "It failed."}\n`);
  if (error instanceof UsageError) process.stderr.write(USAGE);
  process.exit(1);
}

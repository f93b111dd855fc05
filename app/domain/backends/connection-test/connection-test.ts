import type { DatabaseTarget } from "#app/integrations/postgres/dsn.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Check, type CheckName, checkNames, failed, notChecked, passed } from "./checks.ts";
import { checkDatabase, schemaState } from "./database-checks.ts";
import { checkGateway, type GatewayFindings } from "./gateway-checks.ts";

export type { Check, CheckName } from "./checks.ts";

export interface ConnectionInput {
  url: string;
  /** The legacy anon key or a publishable one. */
  anonKey: string;
  /** The legacy service-role key or a secret one. */
  serviceRoleKey: string;
  databaseUrl: string;
}

export interface ConnectionTestDeps {
  guard: OutboundGuard;
  /** PEM of the authority that signs the databases' certificates (SUPABASE_CA_FILE). */
  ca?: string;
  /** Whether a live backend, other than the one under test, already has this reference. */
  isInUse(ref: string): Promise<boolean>;
  /** Called with each line as soon as it is known, in the order of their becoming known. */
  onCheck?(check: Check): void;
  /** For each call to the gateway and for connecting to the database; 10 s by default. */
  timeoutMs?: number;
}

export interface ConnectionTest {
  /** Whether every line holds; only then may credentials be submitted. */
  ok: boolean;
  /** The project at the URL, or `null` if it could not be told. */
  ref: string | null;
  /** All lines, always, in the order of `checkNames`. */
  checks: Check[];
  /** What a caller may keep; `null` where it could not be learnt. */
  facts: {
    origin: string | null;
    /** PostgreSQL's `server_version_num`. */
    serverVersion: number | null;
    schema: "empty" | "ours" | "foreign" | null;
    pooler: boolean | null;
  };
}

/** Both keys, the URL and the database must belong to one project. */
function checkSameProject(gateway: GatewayFindings, target: DatabaseTarget | null): Check {
  const name = "same-project";
  const { ref, publicKey, secretKey, accepted } = gateway;
  if (!ref) return notChecked(name, "it is not known which project the URL leads to");
  if (!target) return notChecked(name, "the connection string cannot be used");
  const others = [
    ["the anon key", publicKey?.ref],
    ["the service-role key", secretKey?.ref],
    ["the database", target.ref],
  ].filter((part) => part[1] && part[1] !== ref);
  if (others.length > 0) {
    return failed(
      name,
      `the URL belongs to project ${ref}, ${others.map((part) => part.join(" to ")).join(", ")}`,
      `everything from project ${ref}`,
      "Copy URL, keys and connection string from one and the same project.",
    );
  }
  if (!target.ref) {
    return failed(
      name,
      "the connection string does not name its project",
      `the user postgres.${ref} at the session pooler, or the host db.${ref}.supabase.co`,
      "Copy the session pooler's connection string from Supabase → Connect.",
    );
  }
  // Keys of the new generation carry no reference: that this gateway takes them is the proof.
  const unproved = [
    publicKey?.ref || accepted.publicKey ? null : "the anon key",
    secretKey?.ref || accepted.secretKey ? null : "the service-role key",
  ].filter((part) => part !== null);
  if (unproved.length > 0) {
    return notChecked(name, `${unproved.join(" and ")} could not be placed`);
  }
  return passed(name, `all of project ${ref}`);
}

async function checkNotInUse(ref: string | null, deps: ConnectionTestDeps): Promise<Check> {
  const name = "not-in-use";
  if (!ref) return notChecked(name, "it is not known which project the URL leads to");
  if (!(await deps.isInUse(ref))) return passed(name, "no other backend uses this project");
  return failed(
    name,
    `another customer's backend already uses project ${ref}`,
    "a project of this customer's own",
    "Create a new project for this customer and enter its credentials.",
  );
}

/**
 * Tests a customer's credentials line by line. Every line is answered: those that could not be
 * judged say which other line is to blame. Nothing is written, neither in the project nor here.
 * @throws only what is a fault of Berth's own, or what `isInUse` throws
 */
export async function testConnection(
  input: ConnectionInput,
  deps: ConnectionTestDeps,
): Promise<ConnectionTest> {
  const lines = new Map<CheckName, Check>();
  const say = (check: Check) => {
    lines.set(check.name, check);
    deps.onCheck?.(check);
  };
  const { guard, ca, timeoutMs = 10_000 } = deps;
  const [gateway, database] = await Promise.all([
    checkGateway(input, { guard, timeoutMs }, say),
    checkDatabase(input.databaseUrl, { guard, ca, timeoutMs }, say),
  ]);
  say(checkSameProject(gateway, database.target));
  say(await checkNotInUse(gateway.ref, deps));

  const checks = checkNames.flatMap((name) => lines.get(name) ?? []);
  return {
    ok: checks.length === checkNames.length && checks.every((check) => check.ok),
    ref: gateway.ref,
    checks,
    facts: {
      origin: gateway.origin,
      serverVersion: database.facts?.versionNumber ?? null,
      schema: database.facts ? schemaState(database.facts) : null,
      pooler: database.target?.pooler ?? null,
    },
  };
}

import { type ProjectKey, recogniseKey } from "#app/integrations/supabase/keys.ts";
import { identifyProject, openProject } from "#app/integrations/supabase/project.ts";
import { OutboundRefusedError } from "#app/platform/outbound/errors.ts";
import type { OutboundGuard } from "#app/platform/outbound/guard.ts";
import { type Check, failed, failedBy, notChecked, passed } from "./checks.ts";

const keysPage = "Supabase → Settings → API keys";

/** How the gateway is reached; the time-out is for each call. */
interface Reach {
  guard: OutboundGuard;
  timeoutMs: number;
}

/** What the gateway's part of the test has learnt. */
export interface GatewayFindings {
  /** `https://<ref>.supabase.co`, or `null` if the URL cannot be used. */
  origin: string | null;
  /** The reference of the project that answers there. */
  ref: string | null;
  publicKey: ProjectKey | null;
  secretKey: ProjectKey | null;
  /** Which of the two keys the gateway accepted. */
  accepted: { publicKey: boolean; secretKey: boolean };
}

/** The origin of a project and, where its name tells it, the reference. */
function readUrl(pasted: string, guard: OutboundGuard): { origin: string; ref: string | null } {
  const { url, host, permission } = guard.checkUrl(pasted.trim());
  const fix = "Copy the “Project URL” from Supabase → Settings → API.";
  const ref = /^([a-z]{20})\.supabase\.co$/.exec(host)?.[1] ?? null;
  if (permission === "suffix" && !ref) {
    throw new OutboundRefusedError(
      `${host} is not the address of a project`,
      "https:// and the project's 20 letters, then .supabase.co",
      fix,
    );
  }
  if (url.pathname !== "/" || url.search !== "") {
    throw new OutboundRefusedError("something follows the host name", url.origin, fix);
  }
  return { origin: url.origin, ref: permission === "suffix" ? ref : null };
}

function describe(key: ProjectKey): string {
  if (key.generation !== "legacy") return `a ${key.generation} key`;
  return key.role === "public" ? "a legacy anon key" : "a legacy service_role key";
}

/** One of the two key fields: recognised by its form, then tried at the gateway. */
async function checkKey(
  field: "anon-key" | "service-role-key",
  key: ProjectKey | null,
  project: (Reach & { origin: string }) | null,
): Promise<Check> {
  const wanted = field === "anon-key" ? "public" : "secret";
  if (!key) {
    const forms =
      wanted === "public"
        ? "the anon key (eyJ…) or the publishable key (sb_publishable_…)"
        : "the service_role key (eyJ…) or a secret key (sb_secret_…)";
    return failed(field, "this is not a Supabase key", forms, `Copy it again from ${keysPage}.`);
  }
  if (key.role !== wanted) {
    return notChecked(field, `${describe(key)} stands in this field (see keys-not-swapped)`);
  }
  if (!project) return notChecked(field, "the project cannot be reached");
  const access = openProject({ ...project, url: project.origin, key: key.text });
  try {
    if (wanted === "public") await access.authSettings();
    else await access.proveAdmin();
    return passed(field, `${describe(key)}, accepted by the project`);
  } catch (error) {
    return failedBy(field, error);
  }
}

function checkFields(anon: ProjectKey | null, service: ProjectKey | null): Check {
  const name = "keys-not-swapped";
  if (anon?.role === "secret" && service?.role === "public") {
    return failed(
      name,
      "the two keys are swapped",
      "the anon or publishable key in the first field, the service-role or secret key in the second",
      "Exchange the two keys.",
    );
  }
  if (anon?.role === "secret") {
    const check = failed(
      name,
      `${describe(anon)} in the field for the anon key`,
      "the anon or publishable key there: it goes to browsers, a secret key never may",
      `Copy the anon or publishable key from ${keysPage}.`,
    );
    return { ...check, field: "anonKey" };
  }
  if (service?.role === "public") {
    const check = failed(
      name,
      `${describe(service)} in the field for the service-role key`,
      "the service-role or secret key",
      `Reveal and copy the service_role key, or a secret key, from ${keysPage}.`,
    );
    return { ...check, field: "serviceRoleKey" };
  }
  if (!anon || !service) return notChecked(name, "one of them is not a Supabase key");
  return passed(name, `${describe(anon)} and ${describe(service)}`);
}

/**
 * The lines about URL and keys. Keys are sent only after the URL has passed the guard and the
 * project there has answered.
 */
export async function checkGateway(
  input: { url: string; anonKey: string; serviceRoleKey: string },
  reach: Reach,
  say: (check: Check) => void,
): Promise<GatewayFindings> {
  const publicKey = recogniseKey(input.anonKey);
  const secretKey = recogniseKey(input.serviceRoleKey);
  const findings: GatewayFindings = {
    origin: null,
    ref: null,
    publicKey,
    secretKey,
    accepted: { publicKey: false, secretKey: false },
  };
  let reachable = false;
  try {
    const { origin, ref } = readUrl(input.url, reach.guard);
    Object.assign(findings, { origin, ref });
    say(passed("url", origin));
  } catch (error) {
    say(failedBy("url", error));
    say(notChecked("project-reachable", "the URL cannot be used"));
  }
  if (findings.origin) {
    try {
      const answered = await identifyProject({ ...reach, url: findings.origin });
      // By its name where Supabase's own certificate proves it; else by what the gateway says.
      findings.ref ??= answered.ref;
      reachable = findings.ref !== null;
      say(
        reachable
          ? passed("project-reachable", `project ${findings.ref} answers`)
          : failed(
              "project-reachable",
              "the server there does not say which project it is",
              "a Supabase gateway, which names its project in the header sb-project-ref",
              "Check the URL, and that nothing stands between that drops headers.",
            ),
      );
    } catch (error) {
      say(failedBy("project-reachable", error));
    }
  }
  say(checkFields(publicKey, secretKey));
  const project = reachable && findings.origin ? { ...reach, origin: findings.origin } : null;
  const one = async (field: "anon-key" | "service-role-key", key: ProjectKey | null) => {
    const check = await checkKey(field, key, project);
    say(check);
    return check.ok;
  };
  const [publicOk, secretOk] = await Promise.all([
    one("anon-key", publicKey),
    one("service-role-key", secretKey),
  ]);
  findings.accepted = { publicKey: publicOk, secretKey: secretOk };
  return findings;
}

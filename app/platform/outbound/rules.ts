import { BerthError } from "#app/platform/errors.ts";
import { canonicalAddress } from "./address.ts";
import { OutboundRefusedError } from "./errors.ts";

/** The allow-list of the operator itself is wrong; the process must not boot with it. */
export class OutboundConfigError extends BerthError {
  constructor(entry: string, needed: string) {
    super("outbound_config", `The outbound allow-list holds "${entry}"; needed: ${needed}.`, {
      found: entry,
      needed,
      fix: "Correct OUTBOUND_ALLOW_SUFFIXES or OUTBOUND_ALLOW_ORIGINS.",
    });
  }
}

/** A host with a range of ports that the operator allows by name. */
interface AllowedOrigin {
  host: string;
  firstPort: number;
  lastPort: number;
}

export interface OutboundRules {
  suffixes: string[];
  origins: AllowedOrigin[];
}

/** Why a host may be called: it is under an allowed suffix, or the operator named it exactly. */
export type Permission = "suffix" | "origin";

const httpsPort = 443;
const postgresPort = 5432;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A lower-case ASCII host name, without IP notation, punycode or trailing dot. */
function isHostName(host: string): boolean {
  const labels = host.split(".");
  return (
    host.length <= 253 &&
    labels.every((part) => label.test(part) && !part.startsWith("xn--")) &&
    // A last label that starts with a digit is how 127.1, 0x7f000001 and 2130706433 begin.
    !/^\d/.test(labels.at(-1) ?? "")
  );
}

function parseOrigin(entry: string): AllowedOrigin {
  const match = /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(entry);
  const host = match?.[1] ?? match?.[2] ?? "";
  const firstPort = Number(match?.[3]);
  const lastPort = Number(match?.[4] ?? match?.[3]);
  const known = canonicalAddress(host) !== null || isHostName(host);
  if (!match || !known || lastPort > 65_535 || firstPort > lastPort) {
    throw new OutboundConfigError(entry, "host:port or host:firstPort-lastPort, exactly written");
  }
  return { host, firstPort, lastPort };
}

/**
 * Reads the operator's allow-lists.
 * @param suffixes host names of at least two labels; they allow themselves and what is below them
 * @param origins comma-separated `host:port` or `host:port-port`
 * @throws OutboundConfigError
 */
export function parseRules(suffixes: string[], origins: string): OutboundRules {
  for (const suffix of suffixes) {
    if (!isHostName(suffix) || !suffix.includes(".")) {
      throw new OutboundConfigError(suffix, "a lower-case domain of at least two labels");
    }
  }
  const entries = origins.split(",").map((entry) => entry.trim());
  return { suffixes, origins: entries.filter((entry) => entry !== "").map(parseOrigin) };
}

/**
 * Decides by text alone whether a host and port may be called; the DNS is asked later.
 * @throws OutboundRefusedError
 */
export function permit(
  rules: OutboundRules,
  use: "http" | "https" | "postgres",
  host: string,
  port: number,
): Permission {
  for (const origin of rules.origins) {
    if (origin.host === host && port >= origin.firstPort && port <= origin.lastPort) {
      return "origin";
    }
  }
  // Not shown when it is no plain host name: what stands there may be a slipped password.
  if (!isHostName(host)) {
    throw new OutboundRefusedError(
      "the host is not a plain domain name",
      `a domain name under ${rules.suffixes.join(" or ")}`,
    );
  }
  if (!rules.suffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))) {
    throw new OutboundRefusedError(
      `${host} is not under ${rules.suffixes.join(" or ")}`,
      "the address of a Supabase project",
    );
  }
  if (use === "http") {
    throw new OutboundRefusedError(`http:// without encryption`, "https://");
  }
  const needed = use === "https" ? httpsPort : postgresPort;
  if (port !== needed) throw new OutboundRefusedError(`port ${port}`, `port ${needed}`);
  return "suffix";
}

export interface CheckedUrl {
  url: URL;
  /** Host without the brackets of IPv6. */
  host: string;
  port: number;
  permission: Permission;
}

// Text is held against this before any parser may "mend" it: no user info, fragment, backslash,
// full-width digit or space can pass, and what WHATWG makes of the host must equal what was written.
const strictUrl =
  /^(https?):\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4}))?(?:[/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?$/i;

/**
 * Reads a URL strictly and checks it against the rules, without any network.
 * @throws OutboundRefusedError
 */
export function checkUrl(rules: OutboundRules, text: string): CheckedUrl {
  const match = text.length <= 8_192 ? strictUrl.exec(text) : null;
  if (!match || !URL.canParse(text)) {
    throw new OutboundRefusedError(
      "this is not a plain web address",
      "https://, a host name and a path; no user name, no “#”, no special characters in the host",
    );
  }
  const url = new URL(text);
  if (url.hostname !== match[2]?.toLowerCase()) {
    throw new OutboundRefusedError(
      "the host is written in a misleading way",
      "a plain domain name",
    );
  }
  const secure = url.protocol === "https:";
  const port = Number(match[3] ?? (secure ? 443 : 80));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return { url, host, port, permission: permit(rules, secure ? "https" : "http", host, port) };
}

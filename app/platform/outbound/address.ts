import ipaddr from "ipaddr.js";

/** Global unicast is handed out from 2000::/3 alone (IANA IPv6 address space registry). */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse("2000::"), 3];

/** Azure's host agent answers on an address that looks public but is only its own machine's. */
const azureHostAgent = "168.63.129.16";

/**
 * Whether an address belongs to the public internet. Everything else (loopback, private,
 * link-local and metadata, carrier-grade NAT, mapped, NAT64, 6to4, Teredo, multicast, reserved,
 * documentation) is `false`, as is text that is no address in its one usual notation.
 */
export function isPublicAddress(text: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    const address = ipaddr.IPv4.parse(text);
    return address.toString() === text && address.range() === "unicast" && text !== azureHostAgent;
  }
  if (!ipaddr.IPv6.isValid(text) || text.includes("%")) return false;
  const address = ipaddr.IPv6.parse(text);
  // The whitelist catches what has no range of its own, such as IPv4-compatible ::127.0.0.1.
  return address.match(globalUnicast) && address.range() === "unicast";
}

/** The address in its one canonical notation, or `null` if the text is written in any other way. */
export function canonicalAddress(text: string): string | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return ipaddr.IPv4.parse(text).toString() === text ? text : null;
  }
  if (!text.includes(":") || !ipaddr.IPv6.isValid(text) || text.includes("%")) return null;
  return ipaddr.IPv6.parse(text).toRFC5952String() === text ? text : null;
}

import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalAddress, isPublicAddress } from "./address.ts";

// An oracle of another make: Node's own BlockList with the IANA special-purpose registries.
const special = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const) {
  special.addSubnet(net, bits, "ipv4");
}

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const hex = (high: number, low: number) => ((high << 8) | low).toString(16);

describe("public addresses", () => {
  it.each([
    "8.8.8.8",
    "1.1.1.1",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.255.255",
    "104.18.38.10",
    "2606:4700::6810:260a",
    "2a05:d014:1c06:5f00::1",
  ])("%s is public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    "127.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "255.255.255.255",
    "0.0.0.0",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fd00:ec2::254",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "100::1",
    "4000::1",
    "127.1",
    "0x7f.0.0.1",
    "2130706433",
    "0177.0.0.1",
    "08.8.8.8",
    "localhost",
    "",
  ])("%s is not", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it("agrees with Node's BlockList on every IPv4 address", () => {
    fc.assert(
      fc.property(ipv4, (octets) => {
        const address = octets.join(".");
        if (special.check(address, "ipv4")) expect(isPublicAddress(address)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
  });

  it("never takes an IPv4 address that travels inside an IPv6 one", () => {
    const wrap = [
      (a: string) => `::ffff:${a}`,
      (a: string) => `::${a}`,
      (a: string) => `64:ff9b::${a}`,
      (a: string) => `::ffff:0:${a}`,
    ];
    fc.assert(
      fc.property(ipv4, fc.constantFrom(...wrap), (octets, put) => {
        const [a, b, c, d] = octets;
        expect(isPublicAddress(put(octets.join(".")))).toBe(false);
        expect(isPublicAddress(`2002:${hex(a, b)}:${hex(c, d)}::1`)).toBe(false);
      }),
    );
  });

  it("knows one notation for each address", () => {
    expect(canonicalAddress("127.0.0.1")).toBe("127.0.0.1");
    expect(canonicalAddress("::1")).toBe("::1");
    for (const other of ["127.1", "0:0:0:0:0:0:0:1", "::0001", "::1%lo", "FE80::1", "a.b"]) {
      expect(canonicalAddress(other)).toBeNull();
    }
  });
});

import { expect, it } from "vitest";
import { networkOf } from "./limits.ts";

it("counts a network of IPv6 as one, and IPv4 as it stands", () => {
  expect(networkOf("192.0.2.7")).toBe("192.0.2.7");
  expect(networkOf("::ffff:192.0.2.7")).toBe("192.0.2.7");
  const network = networkOf("2001:db8:1:2::1");
  expect(networkOf("2001:db8:1:2:ffff:1:2:3")).toBe(network);
  expect(networkOf("2001:db8:1:3::1")).not.toBe(network);
  expect(networkOf("no address")).toBe("no address");
});

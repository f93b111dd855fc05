import { describe, expect, it } from "vitest";
import { safePath } from "./session.server.ts";

describe("where a redirect may lead", () => {
  it.each([
    "/",
    "/desk/queue?status=pending,failed&q=a%20b",
    "/requests/0190",
    "/a//b",
    "/%2f%2fevil.test",
  ])("is a path of ours: %s", (path) => expect(safePath(path)).toBe(path));

  it.each([
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/a\\..\\\\evil.test",
    "/a/..//evil.test",
    "/.//evil.test",
    "/%2e%2e//evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "https://evil.test/",
    "https:evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.test",
    "desk",
    " /desk",
    "",
    "/ä",
    null,
    undefined,
    7,
    ["/desk"],
  ])("is never %j", (given) => expect(safePath(given, "/home")).toBe("/home"));

  it("is what is left of a path that climbs", () =>
    expect(safePath("/desk/../requests")).toBe("/requests"));
});

import { expect, it } from "vitest";
import { projectNameOf } from "./project-name.ts";

it("writes a company as a project's name", () => {
  const id = "019a0000-0000-7000-8000-00000000abcd";
  const name = (company: string) => projectNameOf(company, id);
  expect(name("Lighthouse Books")).toBe("lighthouse-books");
  expect(name("Müller & Söhne GmbH.")).toBe("muller-sohne-gmbh");
  expect(name("Groß")).toBe("gross");
  expect(name("株式会社")).toBe("request-00000000abcd");
  expect(name("x".repeat(200))).toHaveLength(40);
  expect(name(`${"x".repeat(39)} yz`)).toBe("x".repeat(39));
});

import { expect, it } from "vitest";
import { toldChecks } from "#app/domain/backends/index.server.ts";
import { connectionErrors } from "./connection-errors.server.ts";

const swapped = (field?: "anonKey" | "serviceRoleKey") => ({
  name: "keys-not-swapped" as const,
  ok: false,
  found: "the publishable key in the field for the service-role key",
  ...(field && { field }),
});

it("a line that does not hold is told at the field to blame, which the API does not tell", () => {
  const report = (field?: "anonKey" | "serviceRoleKey") => ({ checks: [swapped(field)] });
  expect(Object.keys(connectionErrors(report()).errors)).toEqual(["anonKey", "serviceRoleKey"]);
  expect(Object.keys(connectionErrors(report("anonKey")).errors)).toEqual(["anonKey"]);
  expect(Object.keys(connectionErrors(report("serviceRoleKey")).errors)).toEqual([
    "serviceRoleKey",
  ]);
  expect(toldChecks([swapped("serviceRoleKey")])).toEqual([swapped()]);
});

it("a project that is in use is told without a word of whose", () => {
  const check = {
    name: "not-in-use" as const,
    ok: false,
    found: "another customer's backend already uses project abc",
    needed: "a project of this customer's own",
    fix: "Create a new project for this customer and enter its credentials.",
  };
  expect(connectionErrors({ checks: [check] }).errors).toEqual({
    url: ["This project is in use already. Give a project of your own, or let Berth create one."],
  });
});

it("a host name keeps its letters at the beginning of a sentence", () => {
  const told = (found: string) =>
    connectionErrors({ checks: [{ name: "url", ok: false, found, fix: "Check it." }] }).errors;
  expect(told("db.example.com is not there")).toEqual({
    url: ["db.example.com is not there. Check it."],
  });
  expect(told("the server is not there")).toEqual({
    url: ["The server is not there. Check it."],
  });
});

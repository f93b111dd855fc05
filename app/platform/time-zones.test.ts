import { expect, it } from "vitest";
import { presentZone } from "./time-zones.ts";

/** The zone behind a name, as this Node.js has it. */
const resolved = (timeZone: string) =>
  new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone;

it("a zone has today's name, and stays the same zone", () => {
  expect(presentZone("Europe/Kiev")).toBe("Europe/Kyiv");
  expect(presentZone("Asia/Calcutta")).toBe("Asia/Kolkata");
  for (const zone of ["Asia/Kolkata", "Europe/Berlin", "UTC"]) expect(presentZone(zone)).toBe(zone);
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    expect(resolved(presentZone(zone)), zone).toBe(resolved(zone));
  }
});

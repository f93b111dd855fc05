import { expect, it } from "vitest";
import { fileWords, groupSteps, stepTitle } from "./run-groups.ts";

const file = (name: string, path: string) => ({ name, kind: "sql", file: path });
const STEPS = [
  { name: "Preflight", kind: "preflight" },
  file("Base", "base/migrations/20260901000100_base.sql"),
  file("Base: log", "base/migrations/20260901000200_log.sql"),
  file("Inventory: stock", "inventory/migrations/20260901010100_stock.sql"),
  { name: "Storage: files", kind: "storage", about: "private, up to 20 MiB" },
  { name: "Auth configuration", kind: "auth-config" },
  file("Base: policies", "base/migrations/20260901000300_policies.sql"),
  file("Base: more policies", "base/migrations/20260901000400_more_policies.sql"),
  { name: "Base: seed data", kind: "seed", file: "base/seed.sql" },
  { name: "Inventory: seed data", kind: "seed", file: "inventory/seed.sql" },
];

it("puts consecutive files of a feature into one group, policies apart, and nothing else", () => {
  const groups = groupSteps(STEPS).map(({ title, steps }) => `${title} × ${steps.length}`);
  expect(groups).toEqual([
    "Preflight × 1",
    "Base × 2",
    "Inventory × 1",
    "Bucket files: private, up to 20 MiB × 1",
    "Auth configuration × 1",
    "Base: policies × 2",
    "Base: seed data × 1",
    "Inventory: seed data × 1",
  ]);
});

it("keeps policies apart where nothing stands between them and the schema", () => {
  const titles = (steps: typeof STEPS) => groupSteps(steps).map(({ title }) => title);
  const rehearsed = STEPS.filter(({ kind }) => kind === "sql" || kind === "seed");
  expect(titles(rehearsed)).toEqual([
    "Base",
    "Inventory",
    "Base: policies",
    "Base: seed data",
    "Inventory: seed data",
  ]);
  const alone = [
    file("Base", "base/migrations/20260901000100_base.sql"),
    file("Base: numbers", "base/migrations/20261122000100_numbers.sql"),
    file("Base: policies", "base/migrations/20260901000300_policies.sql"),
  ];
  expect(titles(alone)).toEqual(["Base", "Base: policies"]);
});

it("names a file by its words, a bucket by what it is set to", () => {
  const words = (path: string) => fileWords(file("Sale: complete sale 2", path));
  expect(words("pos/migrations/20261122021700_complete_sale.sql")).toBe("Complete sale");
  expect(words("a/migrations/20261122031600_analytics_1_1_policies.sql")).toBe(
    "Analytics 1.1 policies",
  );
  expect(fileWords({ name: "Owner account" })).toBe("Owner account");
  expect(stepTitle({ name: "Storage: files", kind: "storage", about: "private" })).toBe(
    "Bucket files: private",
  );
  expect(stepTitle({ name: "Storage: files", kind: "storage" })).toBe("Storage: files");
});

import { describeFaults } from "../support/fault-suite.ts";
import { killCases } from "../support/kill-cases.ts";
import { pairCases } from "../support/pair-cases.ts";

const cases = [...(await killCases()), ...(await pairCases())];

describeFaults(
  "a sample of the faults",
  cases.filter(({ sample }) => sample),
  { workers: 8, links: true },
);

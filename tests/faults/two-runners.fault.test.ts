import { describeFaults } from "../support/fault-suite.ts";
import { pairCases } from "../support/pair-cases.ts";

describeFaults("two runners, and broken networks", await pairCases(), { workers: 9, links: true });

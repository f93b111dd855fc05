import { describeFaults } from "../support/fault-suite.ts";
import { killCases } from "../support/kill-cases.ts";

describeFaults("kill -9 of the worker", await killCases(), { workers: 7 });

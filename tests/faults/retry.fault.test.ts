import { faultRounds } from "../support/fault-report.ts";
import { retryCases } from "../support/fault-retry.ts";
import { describeFaults } from "../support/fault-suite.ts";

describeFaults("retries of half-built projects", await retryCases(faultRounds()), { workers: 8 });

import { killCases } from "../support/kill-cases.ts";
import { describeKills } from "../support/kill-suite.ts";

describeKills(await killCases());

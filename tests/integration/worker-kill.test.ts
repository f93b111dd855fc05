import { killCases } from "../support/kill-cases.ts";
import { describeKills } from "../support/kill-suite.ts";

const cases = await killCases();

describeKills(cases.filter(({ sample }) => sample));
